# Seconds since 1970 as "1970-01-01T00:00:01+00:00". The calendar is Howard
# Hinnant's civil_from_days for days after 1970 (years that begin in March).
seconds:
let
  mod = a: b: a - (a / b) * b;
  days = seconds / 86400 + 719468;
  era = days / 146097;
  dayOfEra = mod days 146097;
  yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
  dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  shifted = (5 * dayOfYear + 2) / 153;
  day = dayOfYear - (153 * shifted + 2) / 5 + 1;
  month = if shifted < 10 then shifted + 3 else shifted - 9;
  year = yearOfEra + era * 400 + (if month <= 2 then 1 else 0);
  rest = mod seconds 86400;
  two = n: if n < 10 then "0${toString n}" else toString n;
in
"${toString year}-${two month}-${two day}T${two (rest / 3600)}:${two (mod rest 3600 / 60)}:${two (mod rest 60)}+00:00"
