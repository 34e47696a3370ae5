//! Parsing, arithmetic and shares at every scale and at every bound. Shares are held against whole-number arithmetic.

use proptest::prelude::*;

use super::*;

/// Each scale that ISO 4217 has, with a currency of it: 0, 2, 3 and 4. No currency has one decimal; ariary and ouguiya,
/// divided by five, are listed with two.
const SCALES: [(&str, u32); 6] = [("JPY", 0), ("EUR", 2), ("MRU", 2), ("MGA", 2), ("KWD", 3), ("CLF", 4)];

fn currency(code: &str) -> Currency {
    code.parse().expect("a currency of ISO 4217")
}

fn minor(units: i128, code: &str) -> Money {
    Money::from_minor(units, currency(code)).expect("within bounds")
}

#[test]
fn currencies_are_upper_case_codes_with_minor_units() {
    #[track_caller]
    fn check(code: &str, scale: Option<u32>) {
        assert_eq!(code.parse::<Currency>().map(Currency::scale).ok(), scale, "{code:?}");
    }
    for (code, scale) in SCALES {
        check(code, Some(scale));
        assert_eq!(currency(code).to_string(), code);
    }
    for bad in ["", "eur", "Eur", "EU", "EURO", " EUR", "EUR ", "€", "978", "ＥＵＲ", "AAA", "XAU", "XXX", "XTS", "XDR"]
    {
        check(bad, None);
    }
    let refused = "x".repeat(10_000).parse::<Currency>().expect_err("no code").to_string();
    assert!(refused.len() < 200, "an error repeats little of what was sent: {refused}");
}

#[test]
fn no_currency_has_one_decimal_and_none_more_than_four() {
    let letters = || 'A'..='Z';
    let codes = letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| [a, b, c])));
    let mut count_by_scale = [0; 5];
    for code in codes {
        if let Ok(currency) = String::from_iter(code).parse::<Currency>() {
            count_by_scale[currency.scale() as usize] += 1;
        }
    }
    assert_eq!(count_by_scale[1], 0);
    assert!([0, 2, 3, 4].into_iter().all(|scale| count_by_scale[scale] > 0), "{count_by_scale:?}");
}

/// Parses and expects the printed value.
#[track_caller]
fn check(text: &str, code: &str, expected: Result<&str, AmountError>) {
    let parsed = Money::parse(text, currency(code));
    assert_eq!(parsed.map(|money| money.to_string()), expected.map(str::to_owned), "{text:?} {code}");
}

fn too_many(code: &str) -> Result<&str, AmountError> {
    let currency = currency(code);
    Err(AmountError::TooManyDecimals { currency, scale: currency.scale() })
}

fn too_large(code: &str) -> Result<&str, AmountError> {
    Err(AmountError::TooLarge { largest: Money::largest(currency(code)) })
}

#[test]
fn a_value_is_printed_at_its_currencys_full_scale() {
    for (code, zero, one, smallest) in [
        ("JPY", "0", "1", "1"),
        ("MRU", "0.00", "1.00", "0.01"),
        ("EUR", "0.00", "1.00", "0.01"),
        ("KWD", "0.000", "1.000", "0.001"),
        ("CLF", "0.0000", "1.0000", "0.0001"),
    ] {
        check("0", code, Ok(zero));
        check("1", code, Ok(one));
        check(one, code, Ok(one));
        check(smallest, code, Ok(smallest));
        check(&format!("-{smallest}"), code, Ok(&format!("-{smallest}")));
        check("-0", code, Ok(zero));
    }
    check("12.5", "EUR", Ok("12.50"));
    check("12.50", "EUR", Ok("12.50"));
    check("0.5", "CLF", Ok("0.5000"));
    check("-12.05", "EUR", Ok("-12.05"));
    assert_eq!(format!("{:?}", minor(1250, "EUR")), "12.50 EUR");
}

#[test]
fn one_decimal_too_many_is_refused_even_when_it_is_zero() {
    for (text, code) in [
        ("1.0", "JPY"),
        ("1.5", "JPY"),
        ("1.000", "EUR"),
        ("0.001", "EUR"),
        ("1.0001", "KWD"),
        ("1.00001", "CLF"),
        ("0.00000", "CLF"),
    ] {
        check(text, code, too_many(code));
    }
    check(&format!("0.{}", "0".repeat(40)), "EUR", too_many("EUR"));
}

#[test]
fn only_plain_decimals_are_read() {
    let not_decimal = || Err(AmountError::NotDecimal);
    for text in [
        "", "-", ".", "-.", ".5", "5.", "-.5", "-5.", "..", "1..2", "1.2.3", "1.-2", "--1", "-+1", "+1", "1-", "1+",
        " 1", "1 ", "1 000", "- 1", "\t1", "1\n", "\u{a0}1", "1,5", "1'000", "1_000", "1e3", "1E3", "1e-3", "1.5e1",
        "0x10", "1a", "EUR", "€1", "NaN", "inf", "Infinity", "null", "٣", "１", "1.５", "²", "½", "−1", "00", "01",
        "-01", "00.5", "000", "0 .5", "\0", "1\0",
    ] {
        for code in ["JPY", "EUR", "CLF"] {
            check(text, code, not_decimal());
        }
    }
    let long = "x".repeat(100_000);
    check(&long, "EUR", not_decimal());
    check(&"0".repeat(40), "EUR", not_decimal());
}

#[test]
fn the_largest_value_is_eighteen_nines_of_minor_units() {
    for (code, largest, over) in [
        ("JPY", "999999999999999999", "1000000000000000000"),
        ("EUR", "9999999999999999.99", "10000000000000000.00"),
        ("KWD", "999999999999999.999", "1000000000000000.000"),
        ("CLF", "99999999999999.9999", "100000000000000.0000"),
    ] {
        check(largest, code, Ok(largest));
        check(&format!("-{largest}"), code, Ok(&format!("-{largest}")));
        assert_eq!(Money::largest(currency(code)).to_string(), largest);
        assert_eq!(Money::largest(currency(code)).minor_units(), MAX_MINOR_UNITS);
        check(over, code, too_large(code));
        check(&format!("-{over}"), code, too_large(code));
        for digits in [17, 18, 19, 20, 38, 39, 40, 10_000] {
            let nines = "9".repeat(digits);
            if digits as u32 + currency(code).scale() > 18 {
                check(&nines, code, too_large(code));
            }
        }
    }
    // What is wrong in two ways is first of all not an amount of this currency.
    check(&format!("{}.001", "9".repeat(40)), "EUR", too_many("EUR"));
}

#[test]
fn an_amount_is_more_than_zero() {
    #[track_caller]
    fn check(text: &str, code: &str, expected: Result<i128, AmountError>) {
        assert_eq!(Amount::parse(text, currency(code)).map(|amount| amount.money().minor_units()), expected);
    }
    for (code, scale) in SCALES {
        for zero in ["0", "-0", "-1"] {
            check(zero, code, Err(AmountError::NotPositive));
        }
        let smallest = minor(1, code);
        check(&smallest.to_string(), code, Ok(1));
        check(&smallest.negated().to_string(), code, Err(AmountError::NotPositive));
        check("1", code, Ok(10_i128.pow(scale)));
    }
    check("0.00", "EUR", Err(AmountError::NotPositive));
    check("1e5", "EUR", Err(AmountError::NotDecimal));
    assert_eq!(Amount::new(minor(0, "EUR")), Err(AmountError::NotPositive));
}

#[test]
fn minor_units_are_bounded() {
    for units in [0, 1, -1, MAX_MINOR_UNITS, -MAX_MINOR_UNITS] {
        assert_eq!(Money::from_minor(units, currency("EUR")).map(Money::minor_units), Ok(units));
    }
    for units in [MAX_MINOR_UNITS + 1, -MAX_MINOR_UNITS - 1, i128::MAX, i128::MIN + 1, i128::MIN] {
        assert_eq!(Money::from_minor(units, currency("EUR")), Err(MoneyError::OutOfRange), "{units}");
    }
}

#[test]
fn sums_and_differences_stop_at_the_largest_value() {
    let (largest, one) = (Money::largest(currency("EUR")), minor(1, "EUR"));
    assert_eq!(largest.minus(one).and_then(|less| less.plus(one)), Ok(largest));
    assert_eq!(largest.plus(one), Err(MoneyError::OutOfRange));
    assert_eq!(largest.negated().minus(one), Err(MoneyError::OutOfRange));
    assert_eq!(largest.plus(largest), Err(MoneyError::OutOfRange));
    assert_eq!(largest.minus(largest), Ok(minor(0, "EUR")));
    assert_eq!(largest.plus(largest.negated()).map(|zero| zero.to_string()), Ok("0.00".to_owned()));
    assert_eq!(minor(0, "EUR").negated().to_string(), "0.00");
}

#[test]
fn currencies_never_mix() {
    let (euro, dollar) = (minor(1, "EUR"), minor(1, "USD"));
    let mismatch = MoneyError::CurrencyMismatch { left: currency("EUR"), right: currency("USD") };
    assert_ne!(euro, dollar);
    assert_eq!(euro.plus(dollar), Err(mismatch));
    assert_eq!(euro.minus(dollar), Err(mismatch));
    assert_eq!(euro.compare(dollar), Err(mismatch));
    assert_eq!(euro.is_less_than(dollar), Err(mismatch));
    assert_eq!(euro.at_most(dollar), Err(mismatch));
    assert_eq!(euro.at_least(dollar), Err(mismatch));
}

#[test]
fn comparisons_are_by_value() {
    let (less, more) = (minor(-1, "EUR"), minor(1, "EUR"));
    assert_eq!(less.is_less_than(more), Ok(true));
    assert_eq!(more.is_less_than(less), Ok(false));
    assert_eq!(more.is_less_than(more), Ok(false));
    assert_eq!((less.at_most(more), more.at_most(less)), (Ok(less), Ok(less)));
    assert_eq!((less.at_least(more), more.at_least(less)), (Ok(more), Ok(more)));
    assert!(less.is_negative() && !more.is_negative() && !minor(0, "EUR").is_negative());
    assert!(minor(0, "EUR").is_zero() && !less.is_zero());
}

#[test]
fn basis_points_end_at_the_whole() {
    for good in [0, 1, 10_000] {
        assert_eq!(BasisPoints::new(good).map(|points| u32::from(points.get())), Ok(good));
    }
    for bad in [10_001, 65_536, 65_537, u32::MAX] {
        assert!(BasisPoints::new(bad).is_err(), "{bad}");
    }
}

#[test]
fn bounds_are_one_amount_for_each_currency_and_not_negative() {
    let both = Bounds::new([minor(0, "EUR"), minor(5, "JPY")]).expect("zero is a bound");
    assert_eq!(both.get(currency("EUR")), Some(minor(0, "EUR")));
    assert_eq!(both.get(currency("JPY")), Some(minor(5, "JPY")));
    assert_eq!(both.get(currency("USD")), None);
    assert_eq!(Bounds::new([minor(-1, "EUR")]), Err(BoundsError::Negative(minor(-1, "EUR"))));
    assert_eq!(Bounds::new([minor(1, "EUR"), minor(2, "EUR")]), Err(BoundsError::Twice(currency("EUR"))));
}

#[test]
fn each_rounding_says_what_becomes_of_half_a_unit() {
    use Rounding::{HalfEven, HalfUp, TowardZero};
    #[track_caller]
    fn check(units: i128, points: u32, code: &str, expected: [(Rounding, i128); 3]) {
        let points = BasisPoints::new(points).expect("a share");
        for (rounding, share) in expected {
            assert_eq!(minor(units, code).share(points, rounding), minor(share, code), "{units} {rounding:?}");
            // The other sign is the mirror image.
            assert_eq!(minor(-units, code).share(points, rounding), minor(-share, code), "-{units} {rounding:?}");
        }
    }
    for (code, _) in SCALES {
        check(49, 100, code, [(TowardZero, 0), (HalfEven, 0), (HalfUp, 0)]);
        check(50, 100, code, [(TowardZero, 0), (HalfEven, 0), (HalfUp, 1)]);
        check(51, 100, code, [(TowardZero, 0), (HalfEven, 1), (HalfUp, 1)]);
        check(99, 100, code, [(TowardZero, 0), (HalfEven, 1), (HalfUp, 1)]);
        check(100, 100, code, [(TowardZero, 1), (HalfEven, 1), (HalfUp, 1)]);
        check(150, 100, code, [(TowardZero, 1), (HalfEven, 2), (HalfUp, 2)]);
        check(250, 100, code, [(TowardZero, 2), (HalfEven, 2), (HalfUp, 3)]);
        check(1, 5_000, code, [(TowardZero, 0), (HalfEven, 0), (HalfUp, 1)]);
        check(3, 5_000, code, [(TowardZero, 1), (HalfEven, 2), (HalfUp, 2)]);
        check(MAX_MINOR_UNITS, 10_000, code, [TowardZero, HalfEven, HalfUp].map(|by| (by, MAX_MINOR_UNITS)));
        check(MAX_MINOR_UNITS, 0, code, [TowardZero, HalfEven, HalfUp].map(|by| (by, 0)));
        let half = 499_999_999_999_999_999;
        check(MAX_MINOR_UNITS, 5_000, code, [(TowardZero, half), (HalfEven, half + 1), (HalfUp, half + 1)]);
    }
}

#[test]
fn a_share_of_nothing_much_has_no_sign_and_the_full_scale() {
    let points = BasisPoints::new(1).expect("a share");
    for rounding in [Rounding::TowardZero, Rounding::HalfEven, Rounding::HalfUp] {
        for (units, code, shown) in [(-1, "EUR", "0.00"), (0, "EUR", "0.00"), (1, "KWD", "0.000"), (-9, "JPY", "0")] {
            assert_eq!(minor(units, code).share(points, rounding).to_string(), shown);
        }
    }
}

/// `points` ten-thousandths of `units`, from quotient and remainder alone. 22 digits are far from the 38 of an `i128`.
fn share_of_units(units: i128, points: i128, rounding: Rounding) -> i128 {
    let (whole, rest) = (units * points / 10_000, (units * points % 10_000).abs());
    let up = match rounding {
        Rounding::TowardZero => false,
        Rounding::HalfUp => rest >= 5_000,
        Rounding::HalfEven => rest > 5_000 || (rest == 5_000 && whole % 2 != 0),
    };
    if up { whole + units.signum() } else { whole }
}

fn any_currency() -> impl Strategy<Value = Currency> {
    prop::sample::select(&["JPY", "EUR", "MRU", "KWD", "CLF"][..]).prop_map(currency)
}

/// Any value, with the bounds, small ones and ties as likely as the rest.
fn any_units() -> impl Strategy<Value = i128> {
    prop_oneof![
        -MAX_MINOR_UNITS..=MAX_MINOR_UNITS,
        -1_000_i128..=1_000,
        (0_i128..1_000).prop_map(|less| MAX_MINOR_UNITS - less),
        (0_i128..1_000).prop_map(|more| more - MAX_MINOR_UNITS),
        (-9_999_i128..9_999).prop_map(|units| units * 50),
    ]
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn shares_agree_with_whole_number_arithmetic(units in any_units(), points in 0_u32..=10_000, of in any_currency()) {
        let money = Money::from_minor(units, of).expect("within bounds");
        let share_points = BasisPoints::new(points).expect("a share");
        for rounding in [Rounding::TowardZero, Rounding::HalfEven, Rounding::HalfUp] {
            let share = money.share(share_points, rounding);
            prop_assert_eq!(share.minor_units(), share_of_units(units, i128::from(points), rounding));
            prop_assert_eq!(share.decimal().scale(), of.scale());
        }
    }

    #[test]
    fn what_is_printed_is_read_back(units in any_units(), of in any_currency()) {
        let money = Money::from_minor(units, of).expect("within bounds");
        prop_assert_eq!(Money::parse(&money.to_string(), of), Ok(money));
        prop_assert_eq!(money.decimal().scale(), of.scale());
        prop_assert_eq!(money.negated().negated(), money);
    }

    #[test]
    fn sums_agree_with_whole_numbers(left in any_units(), right in any_units(), of in any_currency()) {
        let money = |units| Money::from_minor(units, of);
        let (a, b) = (money(left).expect("within bounds"), money(right).expect("within bounds"));
        prop_assert_eq!(a.plus(b), money(left + right));
        prop_assert_eq!(a.minus(b), money(left - right));
        prop_assert_eq!(a.compare(b), Ok(left.cmp(&right)));
    }

    #[test]
    fn any_text_is_read_exactly_or_refused(text in "[-+ 0-9.,eE]{0,24}|\\PC{0,12}|-?[0-9]{1,20}(\\.[0-9]{0,6})?", of in any_currency()) {
        if let Ok(money) = Money::parse(&text, of) {
            let digits = text.trim_start_matches('-');
            let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
            let printed = money.to_string();
            let unsigned = printed.trim_start_matches('-');
            let expected = format!("{fraction:0<width$}", width = of.scale() as usize);
            prop_assert_eq!(unsigned.split_once('.').unwrap_or((unsigned, "")), (whole, expected.as_str()));
            prop_assert_eq!(printed.starts_with('-'), text.starts_with('-') && !money.is_zero());
        }
    }
}
