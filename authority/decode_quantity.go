package authority

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/govalues/decimal"
)

const day = 24 * time.Hour

var (
	durationText = regexp.MustCompile(`^(?:([0-9]{1,6})d)?((?:[0-9]+(?:\.[0-9]+)?(?:ns|us|µs|ms|s|m|h))*)$`)
	decimalText  = regexp.MustCompile(`^(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$`)
	digestText   = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	currencyText = regexp.MustCompile(`^[A-Z]{3}$`)
)

// duration reads a positive duration: Go's syntax, and days of 24 hours before
// it, as in 90d or 1d12h.
func (d *decoder) duration(v value) time.Duration {
	s, ok := d.Scalar(v, "a duration")
	if !ok {
		return 0
	}
	total, ok := parseDuration(s)
	switch {
	case !ok:
		d.Fail(v.Node, "want a duration such as 90d, 24h or 1h30m", "%s is %q, not a duration", v.Name, s)
		return 0
	case total <= 0:
		d.Fail(v.Node, "", "%s is %q: it must be longer than nothing", v.Name, s)
		return 0
	}
	return total
}

func parseDuration(s string) (time.Duration, bool) {
	m := durationText.FindStringSubmatch(s)
	if m == nil || s == "" {
		return 0, false
	}
	var total time.Duration
	if m[1] != "" {
		days, err := strconv.Atoi(m[1])
		if err != nil || days > int(math.MaxInt64/day) {
			return 0, false
		}
		total = time.Duration(days) * day
	}
	if m[2] == "" {
		return total, true
	}
	rest, err := time.ParseDuration(m[2])
	if err != nil || rest > math.MaxInt64-total {
		return 0, false
	}
	return total + rest, true
}

// days writes a duration as an author would.
func days(d time.Duration) string {
	whole, rest := d/day, d%day
	switch {
	case whole == 0:
		return rest.String()
	case rest == 0:
		return strconv.FormatInt(int64(whole), 10) + "d"
	}
	return strconv.FormatInt(int64(whole), 10) + "d" + rest.String()
}

// maxDigits is how many digits a decimal keeps exactly.
const maxDigits = 19

// decimal reads an exact decimal that is not negative, in plain notation.
func (d *decoder) decimal(v value) (decimal.Decimal, bool) {
	s, ok := d.Scalar(v, "a decimal")
	if !ok {
		return decimal.Decimal{}, false
	}
	if !decimalText.MatchString(s) {
		d.Fail(v.Node, `want digits such as "250.00"`, "%s is %q, not a decimal that is zero or more", v.Name, s)
		return decimal.Decimal{}, false
	}
	amount, err := decimal.Parse(s)
	if err != nil || len(strings.Replace(s, ".", "", 1)) > maxDigits {
		d.Fail(v.Node, "", "%s is %q: more than %d digits", v.Name, s, maxDigits)
		return decimal.Decimal{}, false
	}
	return amount, true
}

// date reads a point in time, RFC 3339 in any zone, as UTC.
func (d *decoder) date(v value) time.Time {
	s, ok := d.Scalar(v, "a date")
	if !ok {
		return time.Time{}
	}
	var at time.Time
	if err := at.UnmarshalText([]byte(s)); err != nil {
		d.Fail(v.Node, "want a date and time with its zone, such as 2026-11-01T00:00:00Z", "%s is %q, not a date", v.Name, s)
		return time.Time{}
	}
	if at = at.UTC(); at.Year() < 1970 {
		d.Fail(v.Node, "", "%s is %q: before 1970", v.Name, s)
		return time.Time{}
	}
	return at
}

// digest reads the digest of something's exact bytes.
func (d *decoder) digest(v value) string {
	s, ok := d.Scalar(v, "a digest")
	if ok && !digestText.MatchString(s) {
		d.Fail(v.Node, "want sha256: and 64 hexadecimal digits in lower case", "%s is %q, not a digest", v.Name, s)
		return ""
	}
	return s
}

// currency reads a code of ISO 4217.
func (d *decoder) currency(v value) string {
	s, ok := d.Scalar(v, "a currency")
	if !ok {
		return ""
	}
	if !isCurrency(s) {
		d.Fail(v.Node, "want a code of ISO 4217, such as EUR", "%s is %q, not a currency", v.Name, s)
		return ""
	}
	return s
}

func isCurrency(s string) bool {
	return currencyText.MatchString(s) && strings.Contains(currencies, s+" ")
}

// currencies are the active codes of ISO 4217, without those for testing and
// for no currency at all.
const currencies = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL " +
	"BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP " +
	"ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD " +
	"JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP " +
	"MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON " +
	"RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY " +
	"TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XAG XAU XBA XBB XBC XBD XCD " +
	"XCG XDR XOF XPD XPF XPT XSU XUA YER ZAR ZMW ZWG "

var shareText = regexp.MustCompile(`^([0-9]{1,3}(?:\.[0-9]{1,12})?)%$`)

// share reads a percentage as a share from 0 to 1.
func (d *decoder) share(v value) decimal.Decimal {
	s, ok := d.Scalar(v, "a percentage")
	if !ok {
		return decimal.Decimal{}
	}
	m := shareText.FindStringSubmatch(s)
	if m == nil {
		d.Fail(v.Node, "want a percentage such as 2%", "%s is %q, not a percentage", v.Name, s)
		return decimal.Decimal{}
	}
	percent := decimal.MustParse(m[1])
	share := decimal.MustNew(int64(percent.Coef()), percent.Scale()+2)
	if share.Cmp(decimal.One) > 0 {
		d.Fail(v.Node, "", "%s is %q: more than 100%%", v.Name, s)
		return decimal.Decimal{}
	}
	return share
}
