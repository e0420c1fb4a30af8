-- Corners of to_char, to_number, to_date and to_timestamp.
select '[' || to_char(0, 'RNSG') || ']', '[' || to_char(4000, 'SGrn') || ']', '[' || to_char(12, 'PRMIrnSG') || ']', '[' || to_char(0.5, ',RNSG.,') || ']';
select to_char(4000, 'RN'), to_char(3999, 'FMrn'), to_char(-1, 'FMRN'), to_char(1e300::float8, 'RN');
select to_char(9223372036854775807, 'RN');
select to_char('-9223372036854775808'::bigint, 'rn');
select to_number('12', 'RN');
select to_number('12', '9EEEE');
select to_char(5, 'SPL9'), to_char(-5, '9SP'), to_char(-5, 'SPLSGFM');
select to_char(0, 'FMth');
select to_char(7, 'THPL');
select to_char(0.1, 'TH"ab"PR');
select to_char(12, '99th'), to_char(-12, '99th'), to_char(113, 'FM999TH');
select to_date('1,234', 'IYFF5DDHH');
select to_timestamp('Feb', 'FF5FF5/');
select to_timestamp('2020-01-01 10:00:00.12345', 'YYYY-MM-DD HH24:MI:SS.FF4');
