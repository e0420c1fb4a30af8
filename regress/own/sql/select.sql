-- One table: conditions, order, limits, distinct.
create table city (id int primary key, name text, country text, people int);
insert into city values
  (1, 'Oslo', 'NO', 700), (2, 'Bergen', 'NO', 290), (3, 'Lyon', 'FR', 520), (4, 'Paris', 'FR', 2100),
  (5, 'Nice', 'FR', 340), (6, 'Graz', 'AT', 290), (7, 'Nowhere', null, null);
select name from city where people > 500 order by people desc;
select name, people from city order by people nulls first, name;
select name, people from city order by people desc nulls last, name limit 3;
select name from city order by name offset 5;
select name from city order by 1 limit 2 offset 1;
select distinct country from city order by country;
select distinct on (country) country, name, people from city order by country, people desc;
select name from city where country is null;
select name from city where country <> 'FR' order by id;
select name from city where country in ('NO', 'AT') and not people = 290;
select id, name || ' (' || coalesce(country, '?') || ')' as label from city where id > 4 order by id;
select * from city where id = 3;
select c.* from city as c where c.id = 2;
select count(*) from city where name like '%e%';
select name from city order by length(name), name;
select country, name from city order by country desc, name limit all;
select name from city fetch first 0 rows only;
select id % 3 as class, name from city where id < 5 order by class, id;
select nothing from city;
select name from city limit -1;
drop table city;
