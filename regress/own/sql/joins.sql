-- Joins of all kinds, with and without matches and nulls.
create table a (id int, tag text);
create table b (id int, a_id int, word text);
insert into a values (1, 'one'), (2, 'two'), (3, 'three'), (null, 'none');
insert into b values (10, 1, 'x'), (11, 1, 'y'), (12, 3, 'z'), (13, 9, 'lost'), (14, null, 'free');
select a.tag, b.word from a join b on a.id = b.a_id order by 1, 2;
select a.tag, b.word from a left join b on a.id = b.a_id order by 1, 2;
select a.tag, b.word from a right join b on a.id = b.a_id order by 2, 1;
select a.tag, b.word from a full join b on a.id = b.a_id order by 1, 2;
select count(*) from a cross join b;
select count(*) from a, b where a.id < b.a_id;
select a.tag, b.word from a left join b on a.id = b.a_id and b.word <> 'x' order by 1, 2;
select a.tag, b.word from a left join b on a.id = b.a_id where b.word <> 'x' order by 1, 2;
select * from a natural join (select id, 'n' as extra from a where id > 1) s order by id;
select id, tag, word from a join b using (id) order by id;
select x.tag, y.tag from a x join a y on x.id = y.id + 1 order by 1;
select a.tag from a where exists (select 1 from b where b.a_id = a.id) order by 1;
select a.tag from a where not exists (select 1 from b where b.a_id = a.id) order by 1;
select a.tag from a where a.id not in (select a_id from b where a_id is not null) order by 1;
select a.tag from a where a.id not in (select a_id from b) order by 1;
select a.tag, w.word from a, lateral (select word from b where b.a_id = a.id order by word desc limit 1) w order by 1;
select a.tag, w.n from a left join lateral (select count(*) as n from b where b.a_id = a.id) w on true order by 1;
select p.tag, q.word, r.word from a p join b q on q.a_id = p.id join b r on r.a_id = p.id and r.id > q.id;
select id from a join b on true;
-- Many rows, so that more than one way to join is tried.
create table many as select g as id, g % 100 as k from generate_series(1, 5000) g;
create index on many (k);
analyze many;
select count(*), sum(m.id) from many m join many n on m.k = n.k and n.id <= 100;
select count(*) from many m left join a on a.id = m.k where a.id is null;
drop table a, b, many;
-- A nested loop started over with other values from around it: what its inner side keeps is not of these.
create table stale_a (i int); insert into stale_a values (1), (2), (3);
create table stale_b (i int, j int); insert into stale_b select g, g % 5 from generate_series(1, 20) g;
create table stale_c (i int, j int); insert into stale_c select g, g % 7 from generate_series(1, 30) g;
set enable_mergejoin to off;
select a.i, (select sum(x.s) from stale_b b, lateral (select sum(c.i) s from stale_c c join stale_b b2 on b2.i = c.i where c.j = b.j and b2.j = b.j % 3) x where b.i > a.i) from stale_a a order by 1;
set enable_hashjoin to off;
select a.i, (select sum(x.s) from stale_b b, lateral (select sum(c.i) s from stale_c c join stale_b b2 on b2.i = c.i where c.j = b.j and b2.j = b.j % 3) x where b.i > a.i) from stale_a a order by 1;
select a.i, (select sum(x.s) from stale_b b, lateral (with m as materialized (select c.i from stale_c c where c.j = b.j) select sum(m.i) s from m join stale_b b2 on b2.i = m.i where b2.j = b.j % 3) x where b.i > a.i) from stale_a a order by 1;
reset all;
-- VALUES that read the row beside them, often.
select count(*), sum(x), max(x) from generate_series(1, 3000) g, lateral (values (g.g), (g.g + 1), ((select max(i) from stale_a where i < g.g))) v(x);
-- Targets beside a set are computed for each row of the set.
create temp sequence beside_set;
select generate_series(1, 3), nextval('beside_set'), n from (values (10)) v(n);
