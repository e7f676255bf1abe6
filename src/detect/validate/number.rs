//! Numbers with public rules: payment cards, social security, bank accounts, health care providers.

/// The digits of a text that holds digits, blanks, hyphens and dots only; none where it holds anything else or more
/// than `max` digits.
fn digits(text: &[u8], max: usize) -> Option<Vec<u8>> {
    let mut digits = Vec::with_capacity(20);
    for byte in text {
        match byte {
            b'0'..=b'9' if digits.len() < max => digits.push(byte - b'0'),
            b' ' | b'-' | b'.' | b'_' => {}
            _ => return None,
        }
    }
    Some(digits)
}

/// The number that some digits write.
fn value(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |sum: u64, digit| sum.wrapping_mul(10).wrapping_add(u64::from(*digit)))
}

/// The number that the digits of a range write; none where there are fewer.
fn part(digits: &[u8], range: std::ops::Range<usize>) -> Option<u64> {
    digits.get(range).map(value)
}

/// One digit over and over.
fn is_uniform(digits: &[u8]) -> bool {
    digits.windows(2).all(|pair| pair.first() == pair.last())
}

/// Luhn's sum (ISO/IEC 7812-1, annex B): every second digit from the right doubled, digits added.
fn luhn_sum(digits: &[u8]) -> u32 {
    digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(*digit);
            match place % 2 {
                0 => digit,
                _ if digit > 4 => digit * 2 - 9,
                _ => digit * 2,
            }
        })
        .sum()
}

/// Ranges of the first six digits and the lengths that go with them, as the card networks publish them: Visa,
/// Mastercard, American Express, Discover, Diners Club, JCB, UnionPay, Maestro, Mir, RuPay, Troy.
const ISSUERS: &[(u64, u64, &[usize])] = &[
    (400_000, 499_999, &[13, 16, 19]),
    (510_000, 559_999, &[16]),
    (222_100, 272_099, &[16]),
    (340_000, 349_999, &[15]),
    (370_000, 379_999, &[15]),
    (601_100, 601_199, &[16, 17, 18, 19]),
    (644_000, 659_999, &[16, 17, 18, 19]),
    (622_126, 622_925, &[16, 17, 18, 19]),
    (300_000, 305_999, &[14, 16]),
    (309_500, 309_599, &[14, 16]),
    (360_000, 369_999, &[14, 16, 19]),
    (380_000, 399_999, &[14, 16, 19]),
    (352_800, 358_999, &[16, 17, 18, 19]),
    (620_000, 629_999, &[16, 17, 18, 19]),
    (810_000, 819_999, &[16, 17, 18, 19]),
    (500_000, 509_999, &[13, 14, 15, 16, 17, 18, 19]),
    (560_000, 589_999, &[13, 14, 15, 16, 17, 18, 19]),
    (630_000, 639_999, &[13, 14, 15, 16, 17, 18, 19]),
    (670_000, 679_999, &[13, 14, 15, 16, 17, 18, 19]),
    (220_000, 220_499, &[16, 17, 18, 19]),
    (600_000, 600_999, &[16]),
    (979_200, 979_289, &[16]),
];

/// Whether a text can be a payment card's number: 13 to 19 digits, an issuer's range, Luhn's check, not one digit over
/// and over.
pub(super) fn is_card(text: &[u8]) -> bool {
    let Some(digits) = digits(text, 19) else { return false };
    let Some(issuer) = part(&digits, 0..6) else { return false };
    let is_issued =
        ISSUERS.iter().any(|(from, to, lengths)| (*from..=*to).contains(&issuer) && lengths.contains(&digits.len()));
    is_issued && !is_uniform(&digits) && luhn_sum(&digits).is_multiple_of(10)
}

/// Whether a text can be a social security number: `AAA-GG-SSSS` with an area that is not 000, 666 or 900 to 999, a
/// group that is not 00 and a serial that is not 0000 (Social Security Administration, "Social Security Number
/// Randomization" and POMS RM 10201.035). Numbers that became known as invalid by being printed are none either: 078-05-1120
/// and 219-09-9999 (SSA, "Social Security Cards Issued by Woolworth").
pub(super) fn is_ssn(text: &[u8]) -> bool {
    let Some(digits) = digits(text, 9) else { return false };
    let (Some(area), Some(group), Some(serial)) = (part(&digits, 0..3), part(&digits, 3..5), part(&digits, 5..9))
    else {
        return false;
    };
    let is_sequence = value(&digits) == 123_456_789;
    (1..900).contains(&area)
        && area != 666
        && group != 0
        && serial != 0
        && !matches!((area, group, serial), (78, 5, 1120) | (219, 9, 9999))
        && !is_sequence
        && !is_uniform(&digits)
}

/// Lengths of account numbers by country, from the IBAN registry (ISO 13616, SWIFT).
const IBAN_LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NL", 18),
    (b"NO", 15),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"SA", 24),
    (b"SC", 31),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
];

/// Whether a text is an international bank account number: its country's length, and 1 as the remainder by 97 with the
/// first four characters moved to the end (ISO 13616).
pub(super) fn is_iban(text: &[u8]) -> bool {
    let compact: Vec<u8> = text.iter().filter(|b| !matches!(b, b' ' | b'-')).map(u8::to_ascii_uppercase).collect();
    let is_long_enough = IBAN_LENGTHS.iter().any(|(c, n)| compact.starts_with(c.as_slice()) && compact.len() == *n);
    let Some((head, body)) = compact.split_at_checked(4).filter(|_| is_long_enough) else { return false };
    let mut remainder = 0_u32;
    for byte in body.iter().chain(head) {
        remainder = match byte {
            b'0'..=b'9' => (remainder * 10 + u32::from(byte - b'0')) % 97,
            b'A'..=b'Z' => (remainder * 100 + u32::from(byte - b'A') + 10) % 97,
            _ => return false,
        };
    }
    // All zeros after the country is how examples are padded.
    remainder == 1 && body.iter().any(|b| *b != b'0')
}

/// Whether a text is a routing number: nine digits, a Federal Reserve prefix, and 3, 7, 1 as the weights of a sum that
/// 10 divides (American Bankers Association).
pub(super) fn is_routing_number(text: &[u8]) -> bool {
    let Some(digits) = digits(text, 9).filter(|digits| digits.len() == 9) else { return false };
    let sum: u32 = digits.iter().zip([3, 7, 1].iter().cycle()).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    let prefix = part(&digits, 0..2).unwrap_or(99);
    let is_issued = matches!(prefix, 1..=12 | 21..=32 | 61..=72 | 80);
    is_issued && sum.is_multiple_of(10)
}

/// Whether a text is a national provider identifier: ten digits, the first 1 or 2, Luhn's check over 80840 and them
/// (45 CFR 162.406; CMS, "Requirements for NPI check digit").
pub(super) fn is_npi(text: &[u8]) -> bool {
    let Some(digits) = digits(text, 10).filter(|digits| digits.len() == 10) else { return false };
    let with_prefix: Vec<u8> = [8, 0, 8, 4, 0].into_iter().chain(digits.iter().copied()).collect();
    matches!(digits.first(), Some(1 | 2))
        && luhn_sum(&with_prefix).is_multiple_of(10)
        && value(&digits) != 1_234_567_893
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers for tests that payment processors publish, one of each network (Stripe, "Testing: cards").
    #[test]
    fn cards_have_an_issuer_a_length_and_a_check_digit() {
        for good in [
            "4242 4242 4242 4242",
            "5555-5555-5555-4444",
            "2223003122003222",
            "378282246310005",
            "6011111111111117",
            "3056930009020004",
            "36227206271667",
            "3566002020360505",
            "6200000000000005",
        ] {
            assert!(is_card(good.as_bytes()), "{good}");
        }
        // A wrong check digit; no issuer; too short; too long; letters; one digit; right digits in another length.
        for bad in [
            "4242424242424241",
            "9999424242424242",
            "79927398713",
            "42424242424242424242",
            "4242x4242x4242x4242",
            "0000000000000000",
            "378282246310005000",
            "",
        ] {
            assert!(!is_card(bad.as_bytes()), "{bad}");
        }
    }

    /// The rules are the Social Security Administration's; the numbers here were made up along them.
    #[test]
    fn social_security_numbers_leave_out_what_was_never_issued() {
        for good in ["536-90-4399", "536904399", "001-01-0001", "899-99-9998"] {
            assert!(is_ssn(good.as_bytes()), "{good}");
        }
        for bad in [
            "000-12-3456",
            "666-12-3456",
            "900-12-3456",
            "999-12-3456",
            "123-00-4567",
            "123-45-0000",
            "078-05-1120",
            "219-09-9999",
            "123-45-6789",
            "111-11-1111",
            "12-34-5678",
            "536-90-43990",
        ] {
            assert!(!is_ssn(bad.as_bytes()), "{bad}");
        }
    }

    /// The examples of the IBAN registry for the United Kingdom, Germany, France and Norway, and the first with a digit
    /// changed, a letter in front, and cut short.
    #[test]
    fn ibans_leave_one() {
        for good in
            ["GB82 WEST 1234 5698 7654 32", "de89370400440532013000", "FR1420041010050500013M02606", "NO9386011117947"]
        {
            assert!(is_iban(good.as_bytes()), "{good}");
        }
        for bad in [
            "GB82WEST12345698765433",
            "XGB82WEST12345698765432",
            "GB82WEST1234569876543",
            "DE00000000000000000000",
            "GB82",
            "é",
        ] {
            assert!(!is_iban(bad.as_bytes()), "{bad}");
        }
    }

    /// Routing numbers that the Federal Reserve Bank of Boston and a large bank publish as their own.
    #[test]
    fn routing_numbers_have_a_weighted_sum() {
        assert!(is_routing_number(b"011000015") && is_routing_number(b"021000021"));
        assert!(
            !is_routing_number(b"011000016") && !is_routing_number(b"991000015") && !is_routing_number(b"01100001")
        );
    }

    /// By hand: the digits of 80840 and 1245319599, every second one from the right doubled, sum to 80. The number that CMS prints as
    /// its example (1234567893) is nobody's.
    #[test]
    fn provider_identifiers_have_a_check_digit() {
        assert!(is_npi(b"1245319599"));
        assert!(!is_npi(b"1245319590") && !is_npi(b"3245319599") && !is_npi(b"1234567893"));
    }
}
