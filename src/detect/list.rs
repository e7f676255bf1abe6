//! Values that are part of the program or were read at run time.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// A text of either origin.
pub type Text = Cow<'static, str>;

/// A list of either origin.
pub enum List<T: 'static> {
    /// Part of the program.
    Ours(&'static [T]),
    /// Read at run time.
    Own(Box<[T]>),
}

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Ours(list) => list,
            Self::Own(list) => list,
        }
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(list: Vec<T>) -> Self {
        Self::Own(list.into())
    }
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::Own(items.into_iter().collect())
    }
}

impl<T: PartialEq> PartialEq for List<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: fmt::Debug> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
