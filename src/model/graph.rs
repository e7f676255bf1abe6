//! Questions to an inventory's graph: why is a package here, and what does it bring.

use super::inventory::Inventory;

/// The shortest path from one of the project's members to a package, both ends included, as labels for people. Ties
/// are broken by sort order, so that the answer is always the same one. Empty where nothing reaches the package.
#[must_use]
pub fn why(inventory: &Inventory, package: usize) -> Vec<String> {
    Paths::new(inventory).to(package)
}

/// Shortest paths from the project's members to every package, from one breadth-first walk.
pub struct Paths<'a> {
    inventory: &'a Inventory,
    /// For each package: unreached, reached from root `-1 - n`, or reached from package `n`.
    from: Vec<Option<i64>>,
}

impl<'a> Paths<'a> {
    /// Walks the graph once.
    #[must_use]
    pub fn new(inventory: &'a Inventory) -> Self {
        let mut from: Vec<Option<i64>> = vec![None; inventory.packages.len()];
        let mut queue = std::collections::VecDeque::new();
        let mut reach = |target: u32, origin: i64, queue: &mut std::collections::VecDeque<u32>| {
            if let Some(slot @ None) = from.get_mut(target as usize) {
                *slot = Some(origin);
                queue.push_back(target);
            }
        };
        for (n, root) in inventory.roots.iter().enumerate() {
            for need in &root.needs {
                reach(*need, -1 - n as i64, &mut queue);
            }
        }
        while let Some(next) = queue.pop_front() {
            for need in inventory.needs(next as usize) {
                reach(*need, i64::from(next), &mut queue);
            }
        }
        Self { inventory, from }
    }

    /// The path to one package, from a member to the package itself.
    #[must_use]
    pub fn to(&self, package: usize) -> Vec<String> {
        let mut path = Vec::new();
        let mut at = package as i64;
        // The breadth-first tree has no cycles; the bound only guards against a graph that was built wrongly.
        for _ in 0..=self.from.len() {
            if at < 0 {
                if let Some(root) = self.inventory.roots.get((-1 - at) as usize) {
                    path.push(root.label.clone());
                }
                path.reverse();
                return path;
            }
            let Some(found) = self.inventory.packages.get(at as usize) else { break };
            path.push(found.label());
            match self.from.get(at as usize) {
                Some(Some(origin)) => at = *origin,
                _ => break,
            }
        }
        Vec::new()
    }
}

/// Every package reachable from `start`, itself excluded, in sort order.
#[must_use]
pub fn closure(inventory: &Inventory, start: usize) -> Vec<usize> {
    let mut seen = vec![false; inventory.packages.len()];
    let mut stack = vec![start];
    while let Some(next) = stack.pop() {
        match seen.get_mut(next) {
            Some(flag) if !*flag => *flag = true,
            _ => continue,
        }
        stack.extend(inventory.needs(next).iter().map(|need| *need as usize));
    }
    (0..seen.len()).filter(|i| *i != start && seen.get(*i) == Some(&true)).collect()
}
