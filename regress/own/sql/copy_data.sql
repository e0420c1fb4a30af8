-- COPY in and out, text and csv.
create table c (id int, name text, price numeric(6,2), on_sale bool);
copy c from stdin;
1	plain	1.50	t
2	with\ttab	\N	f
3	\N	0.05	\N
4	back\\slash	10.00	t
\.
select * from c order by id;
copy c to stdout;
copy (select name, price from c where id < 3 order by id) to stdout with (format csv, header);
copy c (id, name) from stdin with (format csv);
5,"quoted, comma"
6,"say ""hi"""
7,
8,""
\.
select id, name, name is null as missing from c where id > 4 order by id;
copy c to stdout with (format csv, null 'NULL', force_quote (name));
copy c from stdin;
9	short
\.
copy c (id) from stdin;
ten
\.
copy c (id, price) from stdin with (delimiter '|', null '-');
10|-
11|12.5
\.
select id, price from c where id > 9 order by id;
copy nowhere to stdout;
copy c (nothing) to stdout;
select count(*) from c;
drop table c;
-- Data that ends without a line "\.", as every client but a script sends it.
create table sent (a int, b text);
\copy sent from program 'printf "1\tone\n2\ttwo\n"'
\copy sent from program 'printf "3\tthree"'
\copy sent from program 'printf "4,four\n" ; printf "5,\"fi\nve\"\n"' csv
\copy sent from program 'true'
select * from sent order by a;
drop table sent;
