-- Time zones as SET takes them.
set timezone = '-02';
show timezone;
select timestamptz '2020-01-01 00:00 UTC';
set timezone = '+13.5';
show timezone;
set time zone 2;
show timezone;
set timezone = 'Europe/Berlin';
show timezone;
reset timezone;
