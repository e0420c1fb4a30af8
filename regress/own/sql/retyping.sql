-- ALTER COLUMN ... TYPE of columns that indexes, keys, foreign keys, defaults and views know.
create schema retyping;
set search_path = retyping;
create table keyed (a int primary key, b text unique, c int default 5, d varchar(20));
create index keyed_c on keyed (c desc, a);
create index keyed_d on keyed (d text_pattern_ops);
insert into keyed values (1, 'x', 3, 'one'), (2, 'y', 1, 'two'), (10, 'z', 20, 'ten');
analyze keyed;
alter table keyed alter c type text;
\d keyed
set enable_seqscan = off;
set enable_bitmapscan = off;
select c from keyed where c > '1' order by c desc;
select a from keyed where a = 10;
insert into keyed (a) values (11) returning c;
select opcname from pg_index, pg_opclass o where indexrelid = 'keyed_c'::regclass and o.oid = any (indclass) order by 1;
select collname from pg_index, pg_collation o where indexrelid = 'keyed_c'::regclass and o.oid = any (indcollation);
alter table keyed alter c type int;
alter table keyed alter c drop default, alter c type int using c::int;
select c from keyed where c > 1 order by c desc;
alter table keyed alter d type int using length(d);
alter table keyed alter d type text;
\d keyed
alter table keyed alter c type point using point(c, c);
alter table keyed alter c type int[] using array[c, 1];
select c from keyed where c > '{3}' order by c;
alter table keyed alter c type numeric using c[1] + 0.5;
select c from keyed where c > 3 order by c;
-- unique while it is written anew
alter table keyed alter b type int using 1;
alter table keyed alter a type bigint;
insert into keyed values (1, 'q');
-- foreign keys on both sides
create table child (a int references keyed, b text references keyed (b));
insert into child values (1, 'x'), (10, null);
alter table keyed alter a type text;
alter table keyed alter a type int;
insert into child values (99, 'x');
insert into child values (2, 'y');
alter table child alter a type bigint;
insert into child values (3000000000, null);
alter table child alter a type text;
alter table keyed alter b type varchar(10);
alter table keyed alter a type bigint using a + 1;
alter table keyed alter a type numeric;
insert into child values (98, 'x');
insert into child values (10, null);
delete from keyed where a = 10;
update keyed set a = 12 where a = 1;
update keyed set a = 13 where a = 11;
\d keyed
\d child
create table tree (id int primary key, up int references tree);
insert into tree values (1, 1), (2, 1);
alter table tree alter id type bigint;
alter table tree alter up type bigint;
insert into tree values (3, 7);
\d tree
-- defaults and identities
create table filled (a int generated always as identity, b int default 7, c text default 'x');
alter table filled alter a type text;
alter table filled alter b type int[] using null;
alter table filled alter c type varchar(3);
alter table filled alter b type bigint;
insert into filled default values;
select * from filled;
-- statistics are of the old type
create table counted (a int);
insert into counted select g % 3 from generate_series(1, 100) g;
analyze counted;
alter table counted alter a type text;
select count(*) from pg_statistic where starelid = 'counted'::regclass;
select count(*) from counted where a = '1';
-- views
create view shows as select a, c + 0 as z from keyed;
alter table keyed alter c type int;
alter table keyed alter a type int;
alter table keyed alter b type text;
drop view shows;
alter table keyed alter c type int using c::int;
alter table nope alter c type int;
