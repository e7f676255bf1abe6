//! CVSS vectors → scores.
//!
//! For versions 2, 3.0 and 3.1 the *base* score, whatever temporal or environmental metrics the vector carries. Version
//! 4.0 has one score: the threat and environmental metrics that a vector carries are part of it (specification, section
//! 1.3, "nomenclature"), and that is the number databases print beside such a vector.

use cvss::Cvss;

/// The score of a vector, from 0.0 to 10.0 in tenths; `None` where it is not a complete vector of a known version.
#[must_use]
pub fn score(vector: &str) -> Option<f64> {
    let vector = vector.trim();
    let bare = vector.strip_prefix('(').and_then(|v| v.strip_suffix(')')).unwrap_or(vector);
    let parsed: Cvss = bare.parse().ok()?;
    // The crate takes a version 3 vector with base metrics left out and counts them as the mildest value there is.
    if let Cvss::CvssV30(v) | Cvss::CvssV31(v) = &parsed
        && (v.av.is_none() || v.ac.is_none() || v.pr.is_none() || v.ui.is_none() || v.s.is_none())
    {
        return None;
    }
    if let Cvss::CvssV30(v) | Cvss::CvssV31(v) = &parsed
        && (v.c.is_none() || v.i.is_none() || v.a.is_none())
    {
        return None;
    }
    let score = parsed.score();
    // Tenths exactly, so that a stored score and a computed one are the same number.
    (0.0..=10.0).contains(&score).then(|| (score * 10.0).round() / 10.0)
}

/// The version of CVSS a vector is written in, as a number that grows with it; `None` for what is no vector.
fn version(vector: &str) -> Option<u8> {
    score(vector)?;
    Some(match vector.trim().split_once('/').map_or("", |(head, _)| head) {
        "CVSS:4.0" => 40,
        "CVSS:3.1" => 31,
        "CVSS:3.0" => 30,
        _ => 20,
    })
}

/// Of several vectors, the one of the newest version of CVSS; the highest score where two are of one version. What
/// cannot be scored is passed over.
pub fn best<'v>(vectors: impl IntoIterator<Item = &'v str>) -> Option<&'v str> {
    let mut best: Option<(u8, f64, &str)> = None;
    for vector in vectors {
        let (Some(version), Some(score)) = (version(vector), score(vector)) else {
            continue;
        };
        if best.is_none_or(|(v, s, text)| (version, score, vector) > (v, s, text)) {
            best = Some((version, score, vector));
        }
    }
    best.map(|(_, _, vector)| vector.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vector_of_the_corpus_has_its_score() {
        let Some(corpus) = std::env::var_os("PORTCULLIS_CORPUS") else {
            eprintln!("skipped: PORTCULLIS_CORPUS is not set");
            return;
        };
        let folder = std::path::Path::new(&corpus).join("vectors/cvss");
        let mut seen = 0;
        let mut wrong = Vec::new();
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            for line in std::fs::read_to_string(&path).unwrap().lines() {
                let (vector, expected) = line.rsplit_once(" - ").unwrap();
                let base = expected.trim_start_matches('(').split(',').next().unwrap().trim_end_matches(')');
                let expected: f64 = base.trim().parse().unwrap();
                seen += 1;
                if score(vector) != Some(expected) {
                    wrong.push(format!("{}: {vector}: {:?} for {expected}", path.display(), score(vector)));
                }
            }
        }
        assert!(seen > 6_900, "{seen} lines");
        assert!(wrong.is_empty(), "{} of {seen} wrong:\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn version_2_comes_bare() {
        // CVSS v2 guide, section 3.3.1: CVE-2002-0392 scores 7.8, CVE-2003-0818 scores 10.0, CVE-2003-0062 6.2.
        assert_eq!(score("AV:N/AC:L/Au:N/C:N/I:N/A:C"), Some(7.8));
        assert_eq!(score("AV:N/AC:L/Au:N/C:C/I:C/A:C"), Some(10.0));
        assert_eq!(score("AV:L/AC:H/Au:N/C:C/I:C/A:C"), Some(6.2));
        assert_eq!(score("(AV:N/AC:L/Au:N/C:N/I:N/A:C)"), Some(7.8));
    }

    #[test]
    fn half_a_vector_has_no_score() {
        for vector in ["", "7.5", "CVSS:3.1", "CVSS:3.1/AV:N", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", "AV:N/AC:L"]
        {
            assert_eq!(score(vector), None, "{vector}");
        }
        assert_eq!(score("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N"), None);
        assert_eq!(score("CVSS:9.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), None);
    }

    #[test]
    fn the_newest_version_counts() {
        let v2 = "AV:N/AC:L/Au:N/C:C/I:C/A:C";
        let v3 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L";
        let v4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:L/SC:N/SI:N/SA:N";
        assert_eq!(best([v2, v3, v4, "7.5"]), Some(v4));
        assert_eq!(best([v3, v2]), Some(v3));
        assert_eq!(best(["7.5"]), None);
    }
}
