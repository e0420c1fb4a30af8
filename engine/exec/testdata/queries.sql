select 1 + 2 as three
select 'a' || 'b', length('hello'), upper('abc')
select 7 / 2, 7 % 2, -7 / 2, 7.0 / 2
select 1 where false
select x from (values (1), (2), (3)) t(x) where x > 1
select x, y from (values (1, 'one'), (2, 'two'), (3, null)) t(x, y) order by x desc
select count(*), sum(x), avg(x), min(x), max(x) from (values (1), (2), (3), (4)) t(x)
select count(*) from (values (1), (2)) t(x) where x > 5
select x % 2, count(*), sum(x) from (values (1), (2), (3), (4), (5)) t(x) group by x % 2 order by 1
select x % 2 as odd, count(*) from (values (1), (2), (3)) t(x) group by odd having count(*) > 1
select a.x, b.y from (values (1), (2), (3)) a(x) join (values (2, 'two'), (3, 'three'), (4, 'four')) b(x, y) on a.x = b.x order by 1
select a.x, b.y from (values (1), (2), (3)) a(x) left join (values (2, 'two')) b(x, y) on a.x = b.x order by 1
select a.x, b.x from (values (1), (2)) a(x) full join (values (2), (3)) b(x) on a.x = b.x order by 1, 2
select a.x, b.x from (values (1), (2)) a(x) right join (values (2), (3)) b(x) using (x) order by 2
select x, b.y from (values (1), (2)) a(x) join (values (2, 'b')) b(x, y) using (x)
select count(*) from (values (1), (2), (3)) a(x) cross join (values (1), (2)) b(y)
select a.x, b.y from (values (1), (5)) a(x), (values (3), (6)) b(y) where a.x < b.y order by 1, 2
select distinct x from (values (1), (2), (1), (3), (2)) t(x) order by x
select distinct on (x) x, y from (values (1, 2), (1, 1), (2, 5)) t(x, y) order by x, y
select x from (values (3), (1), (2)) t(x) order by x limit 2
select x from (values (3), (1), (2)) t(x) order by x offset 1
select x from (values (1), (1), (2)) t(x) order by x fetch first 1 row with ties
select 1 union select 2 union select 1 order by 1
select 1 union all select 1
select x from (values (1), (2), (2), (3)) t(x) intersect select y from (values (2), (3), (4)) u(y) order by 1
select x from (values (1), (2), (2), (3)) t(x) except all select 2 order by 1
select 1 as a union select '2' order by a
with t(n) as (values (1), (2)) select sum(n) from t
with recursive t(n) as (select 1 union all select n + 1 from t where n < 10) select count(*), sum(n) from t
with recursive t(n) as (select 1 union select (n + 1) % 4 from t) select n from t order by n
select (select max(x) from (values (1), (9), (4)) t(x))
select x, (select sum(y) from (values (1), (2), (3)) u(y) where y <= x) from (values (1), (2), (3)) t(x) order by x
select x from (values (1), (2), (3)) t(x) where exists (select 1 from (values (2), (3)) u(y) where y = x) order by x
select x from (values (1), (2), (3)) t(x) where x in (select y from (values (2), (3)) u(y)) order by x
select x from (values (1), (2), (null)) t(x) where x not in (1, 5)
select x from (values (1), (2)) t(x) where x not in (select y from (values (1), (null)) u(y))
select x from (values (1), (2), (3)) t(x) where x > all (select y from (values (1), (2)) u(y))
select a.x, s.d from (values (1), (2)) a(x), lateral (select a.x * 2 as d) s order by 1
select case when x = 1 then 'one' when x = 2 then 'two' else 'many' end from (values (1), (2), (3)) t(x) order by x
select case x when 0 then 0 else 10 / x end from (values (0), (5)) t(x) order by x
select coalesce(x, y, 0) from (values (null::int, 5), (3, 4), (null, null)) t(x, y)
select nullif(1, 1), nullif(1, 2), greatest(1, 5, null), least(4, 2)
select 1 is distinct from null, null is distinct from null, 1 is not distinct from 1
select null is null, 1 is not null, (1 = 2) is false, null::bool is unknown
select true and null, false and null, true or null, not null::bool
select 1 between 0 and 2, 5 not between 1 and 3, 3 between symmetric 5 and 1
select (1, 2) < (1, 3), (1, 2) = (1, 2), (2, null) > (1, 1)
select 'abc' like 'a%', 'abc' not like '%z', 'ABC' ilike 'abc'
select '12'::int + 1, 3::text || 'x', '2.50'::numeric * 2, 1::bool
select date '2024-02-29' + 1, timestamp '2024-01-01 12:00:00' - interval '1 day'
select count(distinct x), count(x), sum(distinct x) from (values (1), (1), (2), (null)) t(x)
select string_agg(x, ',' order by x desc) from (values ('a'), ('c'), ('b')) t(x)
select count(*) filter (where x > 1) from (values (1), (2), (3)) t(x)
select x, grouping(x), count(*) from (values (1), (1), (2)) t(x) group by rollup (x) order by 1, 2
select array[1, 2, 3], (array[10, 20, 30])[2], 2 = any (array[1, 2])
select x from generate_series(1, 3) t(x)
select generate_series(1, 3)
select no_such_column
select x from (values (1)) t(x) group by y
select x, count(*) from (values (1)) t(x)
select sum(count(*)) from (values (1)) t(x)
select 1 from no_such_table
select t.y from (values (1)) t(x)
select u.x from (values (1)) t(x)
select x from (values (1)) t(x), (values (2)) u(x)
select 1 + 'a'
select 'a' + 1
select 1 || 2
select no_such_function(1)
select length(1, 2, 3)
select 1 / 0
select 2147483647 + 1
select (select x from (values (1), (2)) t(x))
select 1 where 1
select 1 limit -1
select 1 union select 1, 2
select case when true then 1 else 'a' end
select true + 1
select * 
select 1 order by 2
select x from (values (1)) t(x) where count(*) > 1
select 1 order by 1
select x from (values (1, 3), (2, 1)) t(x, y) order by y
select x, x from (values (2), (1)) t(x) order by x
select x, x from (values (2), (1)) t(x) order by -x limit 1
select distinct x, y, x from (values (1, 2), (1, 2)) t(x, y)
select '42'::int2::int8, 'x'::text::varchar, case when true then 1::text else 'a'::text end, x::text from (values (1)) t(x)
select concat(variadic array[1, 2]), concat_ws(',', variadic array['a', null, 'b']), concat(variadic null::int[]) is null
select format('%2$s, %1$s', variadic array['first', 'second'])
select (time '00:00', interval '1 hour') overlaps (time '00:30', interval '1 hour')
select substring('abcdefg' similar 'a#"(b_d)#"%' escape '#')
select '1.0'::numeric(4,4)
select 'abcd'::varchar(2), '1.239'::numeric(4,2), time(2) '10:00:00.129', interval '1' month
select unistr('\0064at\+0000610'), unistr('a\\b')
select unistr('wrong: \db99')
select concat_ws(',', variadic 10)
select date_bin('200000000 days'::interval, '2024-02-01'::timestamp, '2024-01-01'::timestamp)
select x, row_number() over (order by x desc), sum(x) over (order by x rows 1 preceding), lag(x, 1, 0) over (order by x) from (values (3), (1), (2)) t(x) order by x
select x, rank() over w, dense_rank() over w, percent_rank() over w, cume_dist() over w, ntile(2) over w from (values (1), (1), (2), (3)) t(x) window w as (order by x) order by x
select x, y, sum(y) over (partition by x order by y), count(*) over (partition by x), first_value(y) over (partition by x order by y desc) from (values (1, 10), (1, 20), (2, 5)) t(x, y) order by x, y
select x, array_agg(x) over (order by x range between 1 preceding and 1 following exclude current row) from (values (1), (2), (2), (4)) t(x) order by x
select x, sum(x) over (order by x groups between current row and 1 following), nth_value(x, 2) over (order by x rows between unbounded preceding and unbounded following) from (values (1), (2), (2), (4)) t(x) order by x
select sum(x) over (rows between null preceding and current row) from (values (1)) t(x)
select x from (values (1)) t(x) where rank() over (order by x) = 1
select percentile_cont(0.5) within group (order by x), percentile_disc(0.5) within group (order by x desc), mode() within group (order by x % 2) from (values (1), (2), (3), (4)) t(x)
select rank(3) within group (order by x), cume_dist(3) within group (order by x) from (values (1), (2), (3), (4)) t(x)
select percentile_disc(array[0.25, 0.5, 1]) within group (order by x) from (values ('a'), ('b'), ('c'), ('d')) t(x)
select percentile_cont(0.5) from (values (1)) t(x)
select percentile_cont(2) within group (order by x) from (values (1.0::float8)) t(x)
select x in (select y from (values (1), (2), (null)) u(y)) from (values (1), (3), (null)) t(x)
select x not in (select y from (values (1), (2)) u(y)) from (values (1), (3), (null)) t(x)
select x in (select y from (values (1)) u(y) where false) from (values (1), (null)) t(x)
select array[[1, 2], [3, 4]], (array[[1, 2], [3, 4]])[2][1], (array[1, 2, 3, 4])[2:3], array[]::int[], array[array[]::int[], array[]::int[]]
select x, (select sum(i * j) from (values (1), (2)) a(i), (select generate_series(1, x) as j) b) from (values (1), (2), (3)) t(x)
select x, (select count(*) from (values (1), (2)) a(i) left join (values (1), (2), (3), (4)) b(j) on j < i + x) from (values (1), (2), (3)) t(x)
select x, s from (values (1), (2), (3)) t(x), lateral (select string_agg(i::text || j::text, ',' order by i, j) as s from (values (1), (2)) a(i), (select generate_series(1, x) as j) b) u
with recursive r(n) as (select 1 union all select r.n + 1 from (values (1), (2)) v(k), r where r.n < 4 and k = 1) select n from r
with recursive r(n) as (select 1 union all select a.n + b.k from r a, (values (1), (1)) b(k) where a.n < 4) select n, count(*) from r group by n order by n
select x, (with c as (select x * 10 as y) select sum(y) from c) from (values (1), (2), (null)) t(x)
select x, (with c as (select generate_series(1, x) as y) select count(*) from c a, c b where a.y <= b.y) from (values (1), (3), (2)) t(x)
select x, (with c as (select x as y) select (select max(y) from c) + (select min(y) from c where y in (select y from c))) from (values (1), (3), (2)) t(x)
select x, (with recursive c(n) as (select 1 union all select n + 1 from c where n < x) select sum(n) from c) from (values (1), (3), (2)) t(x)
select x, (select array_agg(y) from (select y from (values (3), (1), (2)) v(y) order by y limit x) s) from (values (1), (2), (null), (0), (3)) t(x)
select x, ntile(x) over (order by o) from (values (null, 1), (2, 2), (null, 3), (5, 4), (1, 5)) t(x, o)
select x, string_agg(x::text, ',') over (order by x) from generate_series(1, 6) x
select g, array_agg(distinct x % 3) from (select x, x % 2 as g from generate_series(1, 10) x) s group by grouping sets ((g), ()) order by g
select id, u from (values (1, array[1, 2]), (2, array[]::int[]), (3, array[7])) t(id, a), unnest(a) u
select id, u, o from (values (1, array[5, 6]), (2, null)) t(id, a) left join lateral unnest(a) with ordinality v(u, o) on true
select x, g from (values (1), (3)) t(x), generate_series(x, 3) g where g <> 2 order by x, g
select x, v from (values (1), (2)) t(x), lateral (values (x), (x * 10)) w(v) order by x, v
select * from unnest(array[1, 2], array['a', 'b', 'c'], array[]::int[]) as u(n, s, e)
select * from rows from (generate_series(1, 3), generate_series(5, 6)) with ordinality
select count(*), sum(a), max(length(b)) from unnest(array(select generate_series(1, 5000)), array(select g::text from generate_series(1, 3000) g)) u(a, b)
select (select sum(t.x) from (values (1), (2)) v(y)) from (values (1), (2), (3)) t(x)
select x % 2, (select count(t.x) + y from (values (10)) v(y)), (select max(t.x) from (values (1)) v(y) where y < count(t.x)) from (values (1), (2), (3)) t(x) group by x % 2 order by 1
select (x, y) in (select * from (values (1, 2), (3, null)) u), (x, y) not in (select * from (values (1, 2), (7, 8)) u) from (values (1, 2), (3, 4), (5, 6), (null, 2)) t(x, y)
select x from (values (1, 2), (3, 4)) t(x, y) where (x, y) in (select a, b from (values (3, 4), (1, 3)) u(a, b))
select x from (values (1), (2), (null), (1)) t(x) where x in (select y from (values (1), (1), (null)) u(y))
select x from (values (1), (2), (null)) t(x) where x not in (select y from (values (1)) u(y))
select x from (values (1), (2), (null)) t(x) where exists (select from (values (1), (1), (null)) u(y) where y = x)
select x from (values (1), (2), (null)) t(x) where not exists (select from (values (1), (1), (null)) u(y) where y = x) order by x
select x from (values (1), (2), (3)) t(x) where exists (select from (values (1), (2)) u(y) where y = x and exists (select from (values (2), (3)) v(z) where z = y and z <= x))
select x from (values (1), (2), (3)) t(x) where not exists (select from (values (1), (2)) u(y), (values (2), (3)) v(z) where y = x and z > y + 1)
select x from (values (1), (2), (3)) t(x) where x in (select max(y) from (values (1), (2)) u(y)) or x = 3
select x from (values (1), (2), (3)) t(x) where x in (select y from (values (3), (2)) u(y) order by y limit 1)
select x, (select count(*) from (values (1), (2)) u(y) where y in (select z from (values (2)) v(z) where z >= x)) from (values (1), (2), (3)) t(x)
select t.x, s.z, s.k from (values (1), (2)) t(x) left join (select y, y * 2 as z, 'c' as k from (values (1), (2)) v(y) where y < 2) s on s.y = t.x order by t.x
select t.x, s.y from (values (1), (2)) t(x) left join (select y from (values (1), (2)) v(y) where y < 2) s on s.y = t.x order by t.x
select s.y, t.x from (select y from (values (1), (2)) v(y) where y < 2) s right join (values (1), (2)) t(x) on s.y = t.x where t.x > 0 order by t.x
select s.y, t.x from (select y from (values (1), (2)) v(y) where y < 2) s full join (values (2), (3)) t(x) on s.y = t.x order by 1, 2
select a.x, b.y from (select x from (values (1), (2)) t(x) where x > 1) a, (select y, (select count(*) from (values (1)) w(z) where z < y) as n from (values (2), (3)) u(y)) b where b.n = 1 and b.y > a.x
select s.x, (select sum(y) from (values (1), (2)) v(y) where y <= s.x) from (select x + 1 as x from (values (0), (1)) t(x)) s order by 1
select * from (select x, count(*) as n from (values (1), (2), (2), (3)) t(x) group by x) s where x > 1 and n > 1
select * from (select x, y, sum(y) over (partition by x order by y) as s from (values (1, 1), (1, 2), (2, 3)) t(x, y)) q where x = 1 and y = 2
select * from (select distinct on (x) x, y from (values (1, 1), (1, 2), (2, 3)) t(x, y) order by x, y desc) q where y < 3 and x < 5
select * from (select 1 as x union all select 2 union select 3) u where x > 1 order by x
select * from (select x from (values (1), (2), (3)) t(x) limit 2) q where x > 1
select x from (values (1), (2)) t(x) group by x having x > 1 and count(*) = 1
select d, sum(x) over (order by d range between '3 days' preceding and current row) from (values (date '2024-01-01', 1), ('2024-01-03', 2), ('2024-01-06', 4), ('2024-01-07', 8), (null, 16)) t(d, x)
select d, sum(x) over (order by d desc range between '1 month' preceding and '1 day' following) from (values (timestamp '2024-01-31 10:00', 1), ('2024-02-29 10:00', 2), ('2024-03-01 09:00', 4), ('2024-04-01 09:00', 8)) t(d, x)
select count(*) over (order by d range between '1 hour' preceding and '30 minutes' following) from (values (timestamptz '2024-01-31 10:00+00'), ('2024-01-31 10:20+00'), ('2024-01-31 11:15+00'), ('2024-01-31 13:00+00')) t(d)
select t, count(*) over (order by t range between '2 hours' preceding and '2 hours' following) from (values (time '00:30'), ('02:00'), ('21:00'), ('23:30')) v(t)
select t, count(*) over (order by t range between '2 hours' preceding and '1 day' following) from (values (timetz '00:30+00'), ('02:00+01'), ('21:00-01'), ('23:30+00')) v(t)
select i, count(*) over (order by i range between '1 day' preceding and '10 days' following) from (values (interval '1 hour'), ('1 day'), ('9 days'), ('1 month'), ('-2 days')) v(i)
select x, count(*) over (order by x range between 1.5 preceding and 0.5 following) from (values (1::float8), (2), (2.5), ('infinity'), ('nan'), ('-infinity')) v(x)
select x, count(*) over (order by x range between 'infinity' preceding and 0.5 following) from (values (1::float4), (2), (2.5), ('infinity'), ('nan'), ('-infinity'), (null)) v(x)
select sum(x) over (order by d range between '-3 days' preceding and current row) from (values (date '2024-01-01', 1)) t(d, x)
select sum(x) over (order by x range between -1.5 preceding and current row) from (values (1::float8)) t(x)
select count(*) over (order by t range between '-1 second' preceding and current row) from (values (time '00:30')) v(t)
select (a, b) > (5, 100), (a, b) < (5::smallint, 100.5), (b, a) >= (8::smallint, 5) from (values (5::bigint, 101::int), (4, 200), (6, 0), (5, 100), (null, 1)) v(a, b)
select (d, x) < (timestamp '2024-01-01 10:00', 2::float8) from (values (date '2024-01-01', 1::float4), ('2024-01-02', 1)) v(d, x)
select 10 / x from (values (1), (0)) v(x) limit 1
select 10 / x from (values (1), (0)) v(x) where 10 / x > 0 limit 1
select x from generate_series(1, 3000) g(x) where 1 / (2000 - x) >= 0 limit 3 offset 1500
select x from generate_series(1, 3000) g(x) where 1 / (2000 - x) >= 0 limit 3 offset 1998
select exists (select 1 / (a - 1) from (values (2), (1)) v(a))
select exists (select 1 / (a - 1) from (values (1), (2)) v(a))
select exists (select a from (values (2), (1)) v(a) where 1 / (a - 1) = 1)
select 2 = any (select 4 / a from (values (2), (0)) v(a)), 2 < all (select 4 / a from (values (2), (0)) v(a))
select (select 1 / (a - 1) from (values (2), (1)) v(a))
select x / 2 from (select x, count(*) over (order by x) c from generate_series(1, 5) g(x)) s where 1 / (x - 4) <= 0 limit 2
select (3 in (select 1)) in (select true), (3 not in (select 1)) in (select true), (3 in (select 1)) not in (select true)
select (3 = any (select 1)) = any (select true), (3 <> all (select 1)) = all (select true), (1 < all (select 2)) in (select null::bool)
select x, (x in (select y from (values (4), (5)) w(y))) in (select x > 3) from (values (3), (4), (null)) v(x) order by x
select x, (x in (select x + y from (values (0), (1)) w(y)), x) = any (select true, y from (values (3), (4)) w(y)) from (values (3), (5)) v(x) order by x
select ((1, 2) in (select 1, 2), 7) in (select true, 7), ((1, 3) in (select 1, 2), 7) in (select true, 7)
select sum(case when (x in (select 1)) in (select true) then x else 10 end), sum(x) in (select 6) in (select true) from (values (1), (2), (3)) v(x)
select x, count(*) from (values (1), (2), (2)) v(x) group by x having (x in (select 2)) in (select count(*) > 1) order by x
select x from (values (1), (2), (3)) v(x) where ((x in (select 2)) in (select false)) in (select true) order by x
