//! The program's own detectors, as the build script wrote them.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::detector::{Detector, Patterns, Slot};
use super::index::{Gate, Index, Literal};
use super::list::List;
use super::validator::Validator;
use crate::model::line::{Language, Region};

include!(concat!(env!("OUT_DIR"), "/detectors.rs"));
