-- SET SCHEMA and RENAME: what belongs to a relation goes with it, what names it names it anew.
create schema here;
create schema there;
set search_path = here;
create table things (id serial primary key, x int unique check (x > 0), g int generated always as identity);
create index on things (x, id);
insert into things (x) values (1), (2);
create table child (t int references things);
insert into child values (1);
create view seen as select id, t.x + 1 as y from things t where x > 0;
create view seen_twice as select s.y, things.x from seen s join things on s.id = things.id where exists (select 1 from things u where u.id = s.y);
alter table things set schema there;
\d there.things
\d child
select * from seen order by 1;
select * from seen_twice order by 1;
select pg_get_viewdef('seen'), pg_get_viewdef('seen_twice');
insert into there.things (x) values (3) returning id, g;
insert into child values (3), (4);
select count(*) from child;
select relname, nspname from pg_class c, pg_namespace n where n.oid = relnamespace and nspname in ('here', 'there') order by 1, 2;
select typname, nspname from pg_type c, pg_namespace n where n.oid = typnamespace and nspname in ('here', 'there') order by 1, 2;
select conname, nspname from pg_constraint c, pg_namespace n where n.oid = connamespace and nspname in ('here', 'there') order by 1, 2;
alter view seen set schema there;
select pg_get_viewdef('seen_twice');
alter view seen_twice set schema there;
select * from there.seen_twice;
drop schema here;
alter table there.things set schema there;
alter table there.things set schema nowhere;
alter table nothing set schema there;
alter table if exists nothing set schema there;
create table things (a int);
alter table there.things set schema here;
drop table things;
alter sequence there.things_id_seq set schema here;
alter sequence there.things_g_seq set schema here;
alter view there.things set schema here;
alter sequence there.things set schema here;
alter table there.things_pkey set schema here;
alter table there.things set schema pg_toast;
create temp table passing (a int);
alter table passing set schema here;
alter table there.things set schema pg_temp;
create sequence counts;
create table counted (a int default nextval('counts'));
alter sequence counts set schema there;
\d counted
insert into counted default values returning a;
begin;
alter table there.things set schema here;
select count(*) from things;
rollback;
select count(*) from there.things;
alter table there.things set schema here;
select * from there.seen order by 1;
drop schema there;
-- names
alter table things rename to stuff;
select pg_get_viewdef('there.seen');
select * from there.seen order by 1;
select * from there.seen_twice order by 1;
alter view there.seen rename to "Looked At";
select pg_get_viewdef('there.seen_twice');
select * from there.seen_twice order by 1;
alter sequence there.counts rename to numbers;
insert into counted default values returning a;
\d counted
alter sequence things_id_seq rename to stuff_id_seq;
insert into stuff (x) values (4) returning id;
\d stuff
create table stuff2 (a int);
alter table stuff2 rename to stuff;
drop table stuff;
drop table stuff cascade;
-- views in a circle
create view a1 as select 1 as a;
create view a2 as select a from a1;
create or replace view a1 as select a from a2;
select * from a1;
select pg_get_viewdef('a1'), pg_get_viewdef('a2', true);
\d+ a1
create or replace view a2 as select a2.a from a2;
select * from a2;
\d+ a2
create view a3 as select a from a1;
alter view a1 rename to a4;
select pg_get_viewdef('a2'), pg_get_viewdef('a4');
create or replace view a2 as select 2 as a;
select * from a4;
drop view a2;
drop view a2 cascade;
