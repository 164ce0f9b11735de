package celplan

import "time"

// timeOfText reads a timestamp of RFC 3339 in the years 1 to 9999, as CEL does:
// T and Z in upper case, no leap seconds, offsets below 24 hours, and digits of
// the second after the ninth without effect.
func timeOfText(s string) (instant, fault) {
	if !looksLikeTime(s) {
		return instant{}, invalidFault
	}
	year, month, day := digits(s[:4]), digits(s[5:7]), digits(s[8:10])
	second := digits(s[17:19])
	if s[10] != 'T' || second > 59 || day > daysIn(year, month) {
		return instant{}, conversionFault
	}
	t := instant{sec: daysBefore(year, month, day)*secondsPerDay + digits(s[11:13])*3600 + digits(s[14:16])*60 + second}
	rest := s[19:]
	t.nsec, rest = fraction(rest)
	switch rest[0] {
	case 'Z':
	case 'z':
		return instant{}, conversionFault
	default:
		t.applyOffset(rest)
	}
	if t.sec < minSecond || t.sec > maxSecond {
		return instant{}, overflowFault
	}
	return t, 0
}

// applyOffset takes "+hh:mm" or "-hh:mm" off a time that was written in it.
func (t *instant) applyOffset(offset string) {
	east := digits(offset[1:3])*60 + digits(offset[4:6])
	if offset[0] == '-' {
		east = -east
	}
	t.sec -= east * 60
	t.zone = int16(east)
	if _, here := time.Unix(t.sec, 0).In(time.Local).Zone(); int64(here) == east*60 {
		t.zone = localZone
	}
}

// looksLikeTime reports whether s has the form of a timestamp, with all parts
// in their ranges but for the day of a shorter month; t and z may be in lower
// case, and a second may be a leap second.
func looksLikeTime(s string) bool {
	const form = "0000-00-00T00:00:00"
	if len(s) <= len(form) {
		return false
	}
	for i := range len(form) {
		switch form[i] {
		case '0':
			if !isDigit(s[i]) {
				return false
			}
		case 'T':
			if s[i] != 'T' && s[i] != 't' {
				return false
			}
		default:
			if s[i] != form[i] {
				return false
			}
		}
	}
	month, day := digits(s[5:7]), digits(s[8:10])
	if month < 1 || month > 12 || day < 1 || day > 31 ||
		digits(s[11:13]) > 23 || digits(s[14:16]) > 59 || digits(s[17:19]) > 60 {
		return false
	}
	return looksLikeZone(s[len(form):])
}

// looksLikeZone reports whether s is the end of a timestamp: a fraction of at
// least one digit or none, and a zone.
func looksLikeZone(s string) bool {
	if s[0] == '.' {
		_, rest := fraction(s)
		if len(rest) == len(s)-1 || rest == "" {
			return false
		}
		s = rest
	}
	switch len(s) {
	case len("Z"):
		return s[0] == 'Z' || s[0] == 'z'
	case len("+00:00"):
		return (s[0] == '+' || s[0] == '-') && s[3] == ':' &&
			isDigit(s[1]) && isDigit(s[2]) && isDigit(s[4]) && isDigit(s[5]) &&
			digits(s[1:3]) <= 23 && digits(s[4:6]) <= 59
	}
	return false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// digits is the number that a few digits write.
func digits(s string) int64 {
	n := int64(0)
	for i := range len(s) {
		n = n*10 + int64(s[i]-'0')
	}
	return n
}

// fraction reads ".123" off the beginning of s, as nanoseconds.
func fraction(s string) (nsec int32, rest string) {
	if s[0] != '.' {
		return 0, s
	}
	i := 1
	for unit := int32(1e8); i < len(s) && isDigit(s[i]); i++ {
		nsec += int32(s[i]-'0') * unit
		unit /= 10
	}
	return nsec, s[i:]
}

func daysIn(year, month int64) int64 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysBefore counts the days from 1970-01-01 to a day of the Gregorian
// calendar, in years that begin in March so that a leap day comes last. In
// January and February of the year 0, before CEL's range, it is a day off.
func daysBefore(year, month, day int64) int64 {
	if month <= 2 {
		year, month = year-1, month+12
	}
	return year*365 + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468
}
