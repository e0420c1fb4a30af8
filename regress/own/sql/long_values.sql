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
