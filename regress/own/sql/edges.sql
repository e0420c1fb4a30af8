-- Values at the edge of what types hold, and input deeper than the stack.
select 1e23::float8, 5e22::float8, '15e9'::float4, 9007199254740993::float8, 1e15::float8, 123456789012345678::float8;
select to_json(1e23::float8), 8.5e21::float8, 2e22::float8, 33554434::float4, 67108868::float4, 1e10::float4;
select '2000-01-01'::timestamp + '2147483647 days'::interval;
select '2000-01-01'::date - '2147483647 days'::interval;
select justify_interval('2147483647 mons 40 days');
select justify_days('2147483647 mons 30 days');
select justify_hours('2147483647 days 24 hours');
select justify_interval('1 mon -1 hour'), justify_hours('-1 day 25 hours'), justify_days('1 mon -40 days'), justify_interval('-3 mons 100 days -50 hours');
select length(round(1.5, 3000)::text), trunc('1e3000'::numeric, -2999) = '1e3000'::numeric, round(12345.678, -100000);
select jsonb_set('{"a":1}', '{a,NULL}', '1');
select '{"a":1}'::jsonb #- '{a,NULL}';
select regexp_instr('abc', 'b', 1, 1, 0, '', 1), regexp_substr('abc', 'b', 1, 1, '', 1), regexp_instr('abc', 'b', 1, 1, 0, '', 2), regexp_substr('abc', '(b)(c)', 1, 1, '', 2);
select length(b'1'::bit(83886080)::text), b'1'::bit(83886081);
select count(*) from regexp_matches(repeat('a', 20000), 'a', 'g');
select length(regexp_replace(repeat('é', 20000), 'é', 'b', 'g')), cardinality(regexp_split_to_array(repeat('a,', 20000), ','));
\set unions 'select 1 union select 1 union select 1 union select 1 union select 1 '
\set unions :unions ' union ' :unions ' union ' :unions ' union ' :unions ' union ' :unions
select count(*) from (:unions) u;
\set unions :unions ' union ' :unions ' union ' :unions ' union ' :unions ' union ' :unions
\set unions :unions ' union ' :unions ' union ' :unions ' union ' :unions ' union ' :unions
\set unions :unions ' union ' :unions ' union ' :unions ' union ' :unions ' union ' :unions
\set unions :unions ' union ' :unions ' union ' :unions ' union ' :unions ' union ' :unions
\set SHOW_CONTEXT never
:unions;
select repeat(' at time zone ''UTC''', 100000) as zones \gset
select timestamp '2020-01-01' :zones;
select repeat('abs(', 300) || '-1' || repeat(')', 300) as nested \gset
select :nested;
