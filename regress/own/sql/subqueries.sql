-- Subqueries wherever an expression or a table may stand; WITH.
create table n (v int, w int);
insert into n select g, g * g from generate_series(1, 10) g;
select (select max(v) from n) as largest, (select v from n where v = 99) as none;
select v from n where w = (select max(w) from n);
select v, (select count(*) from n m where m.v < n.v) as below from n where v <= 4 order by v;
select v from n where v in (select w from n) order by v;
select v from n where v = any (select w from n where w < 5) order by v;
select v from n where v >= all (select v from n);
select v from n where w > (select avg(w) from n) order by v;
select s.k, s.total from (select v % 2 as k, sum(w) as total from n group by 1) s order by s.k;
with even as (select v from n where v % 2 = 0), big as (select v from even where v > 4)
select v from big order by v;
with recursive fib(a, b) as (values (0, 1) union all select b, a + b from fib where b < 100)
select a from fib;
with recursive path(at, far) as (
  select 1, 0 union select (at * 3) % 7, far + 1 from path where far < 5)
select * from path order by far;
with moved as (delete from n where v > 8 returning v, w) select count(*), sum(w) from moved;
select count(*) from n;
select v from n where v = (select v from n);
select * from (values (1, 'a'), (2, 'b')) as t(num, let) order by num desc;
select exists (select from n where v = 1) as one, exists (select from n where v = 100) as hundred;
select array(select v from n where v < 4 order by v desc);
select (select n.v + m.v from n m where m.v = 2) from n where v = 3;
drop table n;
