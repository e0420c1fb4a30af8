-- What calls volatile functions notices when its rows and columns are computed: row by row, from
-- left to right; no row that nobody asked for; sorted rows after they are sorted.
create table pets (id int, name text);
insert into pets values (3, 'cat'), (1, 'dog'), (2, 'emu'), (5, 'fox'), (4, 'gnu');
create sequence s;
select nextval('s'), nextval('s') from pets;
select nextval('s'), currval('s'), lastval() from pets;
select id, nextval('s'), currval('s') from pets where nextval('s') % 3 > 0;
select setval('s', id), nextval('s') from pets;
select case when id > 2 then nextval('s') else -nextval('s') end, currval('s') from pets;
select nextval('s') + nextval('s') * 100 from pets;
select coalesce(nullif(nextval('s') % 2, 0), nextval('s')), currval('s') from pets;
-- over several nodes
select setval('s', 1, false);
select nextval('s'), a from (select nextval('s') as a from pets offset 0) q;
with q as materialized (select id, nextval('s') as a from pets) select id, a, nextval('s') from q;
select id, a, (select nextval('s') where id > 0) from (select id, nextval('s') as a from pets offset 0) q;
select p.id, nextval('s'), v.x, currval('s') from pets p, (values (1), (2)) v(x) where p.id > 4;
select id, x, nextval('s'), currval('s') from pets left join (values (1), (3), (9)) v(x) on id = x order by id;
select generate_series(1, 2), nextval('s'), currval('s') from pets where id < 3;
select sum(nextval('s')), count(currval('s')), max(currval('s')) - min(currval('s')) from pets;
select id % 2, sum(nextval('s')), sum(currval('s')) from pets group by id % 2 order by 1;
select nextval('s'), count(*), currval('s') from pets group by id % 2 order by 2;
select id, nextval('s'), row_number() over (order by id), currval('s') from pets;
select nextval('s'), currval('s') union all select nextval('s'), currval('s');
select * from (values (nextval('s'), nextval('s')), (nextval('s'), currval('s'))) v;
select exists (select nextval('s') from pets), nextval('s');
-- no row ahead
select setval('s', 1, false);
select nextval('s') from pets limit 3;
select currval('s');
select nextval('s') from pets offset 1 limit 2;
select currval('s');
select nextval('s') from pets where id > 1 limit 1;
select currval('s');
select nextval('s'), id from pets where nextval('s') > 0 limit 2;
select currval('s');
select nextval('s') from pets p, pets q limit 4;
select currval('s');
select * from (select nextval('s') from pets) q limit 2;
select currval('s');
(select nextval('s') from pets) union all (select nextval('s') from pets) limit 7;
select currval('s');
begin;
declare c cursor for select nextval('s'), id from pets;
fetch 2 from c;
select currval('s');
fetch 1 from c;
select currval('s');
commit;
-- after the sort
select setval('s', 1, false);
select nextval('s'), id from pets order by id limit 3;
select currval('s');
select nextval('s'), name, id + 1 as next from pets order by id desc;
select id, nextval('s'), sum(id) over (order by id desc) from pets order by id;
select id, nextval('s'), generate_series(1, 2) from pets order by id limit 5;
select id, generate_series(1, 2) as g, nextval('s') from pets order by id, g desc limit 3;
select distinct on (id % 2) nextval('s'), id from pets order by id % 2, id;
select nextval('s') as n, id from pets order by n desc;
select id % 2 as k, count(*), nextval('s') from pets group by id % 2 order by count(*) desc;
select id, (select count(*) from pets p where p.id < pets.id) from pets order by id limit 2;
select id, nextval('s') from pets order by id for update;
select nextval('s') + (id + 1), count(*) from pets group by id + 1 order by 2, id + 1;
explain (costs off) select nextval('s'), id from pets order by id limit 3;
explain (costs off) select id, generate_series(1, 2) from pets order by id limit 3;
explain (costs off) select id, nextval('s') from pets order by name, id;
explain (verbose, costs off) select id, id + 1 as next, nextval('s') from pets order by name limit 1;
explain (costs off) select id + 1 from pets order by id limit 1;
explain (costs off) select nextval('s') as n, id from pets order by n limit 1;
create index on pets (id);
set enable_seqscan = off;
set enable_bitmapscan = off;
select setval('s', 1, false);
select nextval('s'), id from pets order by id limit 3;
select currval('s');
reset enable_seqscan;
reset enable_bitmapscan;
-- changes
create table kept (a int default nextval('s'), b int default nextval('s'), c int);
select setval('s', 1, false);
insert into kept (c) select id from pets;
insert into kept (c) values (7), (8), (9);
insert into kept values (default, default, 10), (nextval('s'), 0, currval('s')), (0, nextval('s'), currval('s'));
insert into kept (c) select id from pets order by id returning a, b, c, nextval('s');
insert into kept (a, b, c) select nextval('s'), nextval('s'), id from pets order by id desc limit 2 returning *;
update kept set a = nextval('s'), b = nextval('s') where c = 9 or c = 8;
update kept set a = nextval('s') where c < 3 returning a, currval('s'), nextval('s');
delete from kept where c = 1 returning nextval('s'), currval('s'), a;
select * from kept order by c, a, b;
create unique index on kept (a, b, c);
insert into kept values (1, 2, 3), (0, 0, 0), (1, 2, 3) on conflict (a, b, c) do update set b = nextval('s') + 1000, a = currval('s') returning *;
create table copied as select nextval('s') as a, nextval('s') as b, id from pets;
select * from copied;
select count(*) from (select random() as x, random() as y from generate_series(1, 100)) r where x = y;
create table loaded (a int default nextval('s'), c int, b int default nextval('s'), t text default 'v' || currval('s'));
copy loaded (c) from stdin;
1
2
\N
\.
select * from loaded;
-- DEFAULT among rows of VALUES
create table filled (a int default nextval('s'), b text default 'none', c int generated always as identity, d int generated always as (a * 2) stored);
insert into filled values (1, default, default), (default, 'two', default), (default, default, default);
insert into filled (b, d) values ('x', default), (default, default);
insert into filled (a, d) values (1, default), (default, 7);
insert into filled (a, c) values (1, default), (default, 7);
select * from filled order by c;
