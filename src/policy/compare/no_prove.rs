//! Stands in for the solver where the crate is built without the feature `prove`: nothing is ever proved.

use std::convert::Infallible;
use std::marker::PhantomData;

use cedar_policy::{Policy, Schema};

use super::{Answer, Budget, Solver};
use crate::subject::Kind;

/// There is none.
pub struct Prover<'s>(Infallible, PhantomData<&'s ()>);

impl<'s> Prover<'s> {
    /// Always an error.
    pub fn start(_: &Schema, _: &'s dyn Solver, _: &Budget) -> Result<Self, String> {
        Err("this build has no proofs (feature `prove`)".to_owned())
    }

    pub fn name(&self) -> &str {
        match self.0 {}
    }

    pub fn implies(&mut self, _: Kind, _: &Policy, _: &Policy) -> Answer {
        match self.0 {}
    }

    pub fn covered(&mut self, _: Kind, _: &Policy, _: &[&Policy]) -> Answer {
        match self.0 {}
    }

    pub fn never_fails(&mut self, _: Kind, _: &Policy) -> Answer {
        match self.0 {}
    }

    pub fn never_matches(&mut self, _: Kind, _: &Policy) -> Answer {
        match self.0 {}
    }
}
