-- Values too long for a page, in tables that get new files.
create table long_value (id int primary key, b text, c text);
insert into long_value
  select g, (select string_agg(md5(i::text || ' ' || g::text), '') from generate_series(1, 300) i), 'x'
  from generate_series(1, 20) g;
select count(*), sum(length(b)), md5(string_agg(b, '' order by id)) from long_value;
alter table long_value add column d int not null default 2;
select count(*), sum(length(b)), md5(string_agg(b, '' order by id)) from long_value;
begin;
alter table long_value alter column d type bigint;
update long_value set c = b where id < 5;
select count(*), sum(length(b)), sum(length(c)) from long_value;
savepoint a;
alter table long_value add column e int default 3;
select count(*), sum(length(b)), sum(length(c)) from long_value;
rollback to a;
select count(*), sum(length(b)), sum(length(c)) from long_value;
update long_value set b = b || 'z' where id = 3;
commit;
select count(*), sum(length(b)), sum(length(c)) from long_value;
vacuum long_value;
select count(*), sum(length(b)), sum(length(c)) from long_value;
create temp table long_copy as select * from long_value;
begin;
truncate long_value;
insert into long_value select * from long_copy;
select count(*), sum(length(b)), sum(length(c)) from long_value;
commit;
select count(*), sum(length(b)), sum(length(c)) from long_value;
begin;
truncate long_value;
insert into long_value select * from long_copy where id = 1;
rollback;
select count(*), sum(length(b)), sum(length(c)) from long_value;
drop table long_value, long_copy;
-- from table to table
create table long_one (id int primary key, b text);
create table long_two (id int primary key, b text);
insert into long_one
  select g, (select string_agg(md5(i::text || ' ' || g::text), '') from generate_series(1, 300) i)
  from generate_series(1, 5) g;
insert into long_two select * from long_one;
insert into long_two select id + 10, b from long_two;
insert into long_two select id, 'short' from long_one on conflict (id) do update
  set b = (select b || 'x' from long_one where id = excluded.id);
update long_two set b = long_one.b from long_one where long_one.id = long_two.id - 10;
select id, length(b), md5(b) from long_two order by id;
drop table long_one;
vacuum long_two;
select count(*), count(distinct md5(b)) from long_two;
drop table long_two;
-- Operators look inside long values that a set-returning function, a sort or a lock hands on.
create table long_key (t text, n int);
insert into long_key values (repeat('a', 5000), 3), (repeat('b', 5000), 1000), (repeat('c', 5000), 900);
insert into long_key values (repeat('d', 5000), 3000), (repeat('e', 5000), 1), (repeat('f', 5000), 1024);
select count(*) from (select distinct t, generate_series(1, n) from long_key) x;
select count(*), sum(g), max(length(t)) from (select t, generate_series(1, n) as g from long_key order by 1, 2 offset 0) x;
select left(t, 1), count(*), sum(g) from (select t, generate_series(1, n) as g from long_key) x group by t order by 1;
select count(*) from (select t, generate_series(1, n) from long_key intersect select t, generate_series(2, n) from long_key) x;
select count(*) from (select t, generate_series(1, n) from long_key union select t, generate_series(2, n + 1) from long_key) x;
select left(t, 1), n from long_key order by t desc fetch first 2 rows with ties;
insert into long_key select * from long_key;
select left(t, 1), n from long_key order by t desc fetch first 3 rows with ties;
with recursive r as (select t from long_key union select r.t || '' from r) select length(t), left(t, 1) from r order by 2;
