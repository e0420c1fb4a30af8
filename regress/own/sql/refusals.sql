-- What must be refused, and state that must survive a refusal.
create table ref_t (a int primary key, b text, c int);
create view ref_v as select a, b from ref_t;
create sequence ref_s;
create index ref_i on ref_t (b);

-- actions on the wrong kind of relation
alter table ref_s add column x int;
alter table ref_i add column x int;
alter table ref_v drop column a;

-- widths
select format('%*s', 2147483648, 'x');
select format('%*s', 'x', 'y');
select format('[%*s]', 5, 'x'), format('[%-*s]', 5, 'x'), format('[%*s]', -5, 'x');

-- COMMIT inside a message of several statements commits what came before it
insert into ref_t values (1)\; commit\; insert into ref_t values (1);
select a from ref_t;
insert into ref_t values (2)\; rollback\; insert into ref_t values (3);
select a from ref_t order by a;

select count(*) from ref_t;

-- ON COMMIT DELETE ROWS
create temp table ref_temp (a int) on commit delete rows;
insert into ref_temp values (1);
select * from ref_temp;
begin;
insert into ref_temp values (1), (2);
select count(*) from ref_temp;
commit;
select count(*) from ref_temp;
begin;
drop table ref_temp;
rollback;
begin;
insert into ref_temp values (5);
select * from ref_temp;
commit;
select * from ref_temp;
drop table ref_temp;
create temp table ref_key (a int primary key) on commit delete rows;
create temp table ref_ref (a int references ref_key);
begin;
insert into ref_key values (1);
commit;
drop table ref_key, ref_ref;

-- settings that are states
alter system set role = 'postgres';
alter system set transaction_isolation = 'serializable';
alter system set search_path = 'a
b';

-- COPY: a wrong row behind one that WHERE leaves out
create table ref_copy (a int check (a > 0));
copy ref_copy from stdin where a > 0;
-1
x
\.
copy ref_copy from stdin;
-1
x
\.
select * from ref_copy;
drop table ref_copy;
drop view ref_v;
drop sequence ref_s;
drop table ref_t;
