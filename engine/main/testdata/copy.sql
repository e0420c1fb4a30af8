-- COPY in its three forms, both ways, and what it says of bad data.
create table c (id int primary key, name text, price numeric(6,2) default 1.5 check (price >= 0), on_sale bool not null default true);
copy c from stdin;
1	plain	1.50	t
2	with\ttab\\and \x41\102	\N	f
3	\N	0.05	y
\.
copy c (id, name) from stdin with (format csv, header);
id,name
4,"quoted, comma"
5,"say ""hi""
and more"
6,
7,""
\.
select * from c order by id;
copy c to stdout;
copy c (name, id) to stdout with (format csv, header, force_quote (name), null 'NULL');
copy (select id, price from c where id < 3 order by id) to stdout (delimiter '|', null '-', header);
copy c to stdout csv force quote *;
-- errors and their places
copy c from stdin;
10	ten	1	t
11	short
\.
copy c from stdin;
10	ten	1	t	more
\.
copy c from stdin;
10	ten	1	t
x11	eleven	2	t
\.
copy c (id, on_sale) from stdin;
12	t
13	\N
14	perhaps
\.
copy c (id, price) from stdin;
12	1
13	-1
14	2
\.
copy c (id) from stdin;
20
21
20
\.
copy c (id, name) from stdin (format csv);
30,"unfinished
\.
copy c (nothing) from stdin;
\.
copy c (id, id) from stdin;
\.
copy c to stdout (format binary, delimiter ',');
copy c from stdin (format csv, force_not_null (price, on_sale), force_null (nowhere));
\.
copy c (id) from stdin (format csv, force_null (name));
\.
copy c from stdin (delimiter 'xx');
\.
copy c from stdin (bogus true);
\.
copy c from stdin (format csv, quote ',');
\.
copy nowhere from stdin;
\.
copy c from '/nowhere/at/all';
copy c to 'relative';
create view v as select * from c;
copy v to stdout;
copy v from stdin;
\.
copy (select 1 into x) to stdout;
copy (delete from c where id = 99) to stdout;
copy (insert into c (id, name) values (50, 'fifty') returning id, name) to stdout;
-- force_null and force_not_null
create table f (a text, b text, c text);
copy f from stdin (format csv, null 'x', force_not_null (a), force_null (b));
x,"x",x
"x",x,"x"
\.
select a, b, c, a is null, b is null, c is null from f;
copy f from stdin (header match);
a	b	d
1	2	3
\.
copy f from stdin (header match);
a	b
1	2
\.
copy f from stdin (header match);
a	b	c
1	2	3
\.
copy f (a) from stdin where a <> 'no';
yes
no
\.
select count(*) from f;
begin read only;
copy f from stdin;
\.
rollback;
begin;
create table fresh (a int);
copy fresh from stdin (freeze);
1
2
\.
select * from fresh;
commit;
copy fresh from stdin (freeze);
3
\.
copy fresh to '/tmp/orrery_copy_test.bin' (format binary);
create table back (a int);
copy back from '/tmp/orrery_copy_test.bin' (format binary);
copy back from '/tmp/orrery_copy_test.bin' (format csv);
select * from back;
create table parent (a int primary key);
create table child (a int references parent);
copy child from stdin;
1
\.
insert into parent values (1);
copy child from stdin;
1
\N
\.
create table defaults (a int default 7, b text default 'b' || 1, c int);
copy defaults (c) from stdin;
1
2
\.
select * from defaults;
