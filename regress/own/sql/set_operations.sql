-- UNION, INTERSECT, EXCEPT, with and without ALL.
select 1 as x union select 2 union select 1 order by x;
select 1 as x union all select 2 union all select 1 order by x;
select * from generate_series(1, 5) intersect select * from generate_series(3, 8) order by 1;
select * from generate_series(1, 5) except select * from generate_series(3, 8) order by 1;
(values (1), (1), (2)) except all (values (1)) order by 1;
(values (1), (1), (2)) intersect all (values (1), (1), (3)) order by 1;
select null union select null;
select 1 union select 2.5 order by 1;
select 'a' union select null order by 1 nulls first;
(select 3 as v order by v limit 1) union all (select 1) order by v;
select 1 union select 2 intersect select 2 order by 1;
select 1, 2 union select 1;
select 1 union select 'x';
