-- INSERT, UPDATE, DELETE with RETURNING, FROM, USING and ON CONFLICT.
create table stock (sku text primary key, n int not null default 0, note text);
insert into stock (sku) values ('a'), ('b') returning *;
insert into stock values ('c', 5, 'new') returning sku, n * 2 as double;
insert into stock values ('a', 1) on conflict do nothing returning *;
insert into stock values ('a', 1), ('d', 4) on conflict (sku) do update set n = stock.n + excluded.n returning *;
insert into stock as s values ('d', 10) on conflict (sku) do update set n = excluded.n where s.n > 100 returning *;
insert into stock values ('e', 1), ('e', 2) on conflict (sku) do update set n = excluded.n;
insert into stock values ('a', 1) on conflict (n) do nothing;
update stock set n = n + 1, note = 'counted' where sku < 'c' returning sku, n, note;
update stock set (n, note) = (n * 10, upper(note)) where note is not null returning *;
update stock set n = v.n from (values ('a', 100), ('d', 400)) v(sku, n) where v.sku = stock.sku returning stock.sku, stock.n;
update stock set n = (select max(n) from stock) where sku = 'b' returning n;
update stock set n = default where sku = 'c' returning *;
delete from stock using (values ('b'), ('zzz')) gone(sku) where gone.sku = stock.sku returning stock.*;
delete from stock where n = 0 returning sku;
select * from stock order by sku;
update stock set sku = sku || sku;
select * from stock order by sku;
update stock set nothing = 1;
insert into stock (sku, sku) values ('x', 'y');
insert into stock values ('x', 1, 'y', 'z');
insert into stock select 's' || g, g from generate_series(1, 1000) g;
update stock set n = n + 1 where sku like 's%';
delete from stock where n % 2 = 0;
select count(*), sum(n) from stock;
delete from stock;
select count(*) from stock;
drop table stock;
-- The first thing a transaction does is an insert that may conflict.
create table stock_once (sku text primary key, n int);
insert into stock_once values ('a', 1) on conflict (sku) do nothing;
insert into stock_once values ('a', 2), ('b', 3) on conflict (sku) do update set n = excluded.n returning *;
-- The row in the way has a newer version on the same page.
insert into stock_once values ('a', 10) on conflict (sku) do update set n = stock_once.n + excluded.n returning *;
update stock_once set n = 0 where sku = 'a';
insert into stock_once values ('a', 1), ('c', 1) on conflict (sku) do update set n = stock_once.n + excluded.n returning *;
drop table stock_once;
