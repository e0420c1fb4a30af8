-- Grouping and aggregates.
create table sale (shop text, item text, amount int, price numeric(8,2));
insert into sale values
  ('north', 'pen', 3, 1.50), ('north', 'ink', 1, 9.99), ('south', 'pen', 7, 1.40), ('south', 'ink', null, 8.75),
  ('south', 'pad', 2, 4.00), ('west', 'pen', 0, 1.60), (null, 'pad', 5, 3.80);
select count(*), count(amount), count(distinct item), sum(amount), avg(amount), min(price), max(price) from sale;
select shop, count(*), sum(amount * price) from sale group by shop order by shop;
select item, sum(amount) as total from sale group by item having sum(amount) > 3 order by total desc;
select shop, item, max(price) from sale group by shop, item order by 1, 2;
select upper(shop) as s, count(*) from sale group by s order by s;
select count(*), sum(amount), max(amount) from sale where false;
select shop, count(*) from sale where false group by shop;
select bool_and(amount > 0), bool_or(amount > 6) from sale;
select string_agg(item, ',' order by item, price) from sale where shop = 'south';
select array_agg(amount order by amount) from sale;
select sum(price) filter (where item = 'pen') as pens, count(*) filter (where amount is null) as unknown from sale;
select stddev(amount), variance(price) from sale;
select shop, avg(price)::numeric(8,3) from sale group by shop having count(*) > 1 order by 2;
select avg(x), sum(x) from (values (1.5::float8), (2.5)) v(x);
select shop, item from sale group by shop;
select count(*) from sale where sum(amount) > 1;
select g % 7 as k, count(*), sum(g), min(g), max(g) from generate_series(1, 10000) g group by k order by k;
select count(distinct g % 1000) from generate_series(1, 20000) g;
drop table sale;
