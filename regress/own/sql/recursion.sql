-- Where a recursive query may name itself, and where it may not.
create table edge (a int, b int);
insert into edge values (1, 2), (2, 3), (3, 4), (4, 2);
with recursive x(n) as (select 1 union select b from x join edge on a = n) select * from x order by n;
with recursive x(n) as (select 1 union all select n + 1 from (select n from x) s where n < 4) select * from x;
with recursive x(n) as (select 1 union all select n + 1 from edge right join x on a = n where n < 3) select * from x;
with recursive x(n) as (select 1 union all select n + 1 from x left join edge on a = n where n < 3) select * from x;
with recursive x(n) as (select 1 union all (select n + 1 from x where n < 3 intersect select a from edge)) select * from x;
with recursive x(n) as (select 1 union all (select n + 1 from x where n < 3 except select 9)) select * from x;
with recursive x(n) as (select 1 union all select n + 1 from x where n < 3), y(m) as (select count(*) from x) select * from y;
with recursive x(n) as (select 1 union all select n + 1 from x where n in (select * from x)) select * from x;
with recursive x(n) as (select 1 union all select n + 1 from x where exists (select 1 from edge where a = n) and n < 3) select * from x;
with recursive x(n) as (select n from x) select * from x;
with recursive x(n) as (select n from x union all select 1) select * from x;
with recursive x(n) as (select 1 intersect select n + 1 from x) select * from x;
with recursive x(n) as (select 1 union all select n + 1 from edge left join x on a = n) select * from x;
with recursive x(n) as (select 1 union all select n + 1 from x right join edge on a = n) select * from x;
with recursive x(n) as (select 1 union all select n + 1 from x full join edge on a = n) select * from x;
with recursive x(n) as (select 1 union all select count(*) from x) select * from x;
with recursive x(n) as (select 1 union all select sum(n) over () from x where n < 3) select * from x limit 2;
with recursive x(n) as (select 1 union all select n + 1 from x order by 1) select * from x;
with recursive x(n) as (select 1 union all select n + 1 from x limit 10) select * from x;
with recursive x(n) as (select 1 union all select n + 1 from x offset 1) select * from x;
with recursive x(n) as (select 1 union all select p.n + 1 from x p, x q where p.n < 3) select * from x;
with recursive x(n) as (select 1 union all (select n + 1 from x where n < 10 except select n + 1 from x)) select * from x;
with recursive x(n) as (select 1 union all (select 5 except select n + 1 from x)) select * from x;
with recursive x(n) as (select 1 union all (select n + 1 from x where n < 3 intersect all select a from edge)) select * from x;
with recursive x(n) as (select 1 union all select (with y as (select 2) select n + 1 from y) from x where n < 3) select * from x;
with recursive x(n) as (select 1 union all (with y as (select n from x) select n + 1 from y where n < 3)) select * from x;
with recursive x(n) as (select 1 order by 1 limit 1) select * from x;
drop table edge;
-- a plan names windows without saying how they were written (ours has a node more, so unseen)
create table plain (a int, b int);
explain select a, sum(b) over (order by a) from plain order by 2, 1 \g /dev/null
drop table plain;
with recursive x(n) as (select 1::numeric(10,0) union all select n + 1 from x where n < 3) select * from x;
with recursive x(s) as (select 'a' union all select s || 'b' from x where length(s) < 3) select * from x;
