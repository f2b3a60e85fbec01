//! The tree of a model as a list of places.

use crate::{MemberRef, Module, ModuleExt};

/// One place in the tree: a module that stands there under a name. A shared module has several places.
pub(super) struct Node<'a> {
    pub module: &'a dyn Module,
    /// The name of its field.
    pub name: String,
    /// The names from the root, with dots; empty for the root.
    pub path: String,
    pub parent: Option<usize>,
    pub depth: usize,
}

impl Node<'_> {
    pub fn id(&self) -> u64 {
        self.module.base().id()
    }
    pub fn is_leaf(&self) -> bool {
        self.module.children().is_empty()
    }
}

/// All places, parents first.
pub(super) fn nodes(root: &dyn Module) -> Vec<Node<'_>> {
    let root = Node { module: root, name: String::new(), path: String::new(), parent: None, depth: 0 };
    let mut found = Vec::new();
    let mut waiting = vec![root];
    while let Some(node) = waiting.pop() {
        let here = found.len();
        let mut children = Vec::new();
        node.module.members(&mut |name, member| {
            if let MemberRef::Module(child) = member {
                let path = if node.path.is_empty() { name.to_string() } else { format!("{}.{name}", node.path) };
                let depth = node.depth + 1;
                children.push(Node { module: child, name: name.into(), path, parent: Some(here), depth });
            }
        });
        waiting.extend(children.into_iter().rev());
        found.push(node);
    }
    found
}

/// Is `node` at or below `above`?
pub(super) fn is_within(nodes: &[Node], mut node: usize, above: usize) -> bool {
    loop {
        match nodes[node].parent {
            _ if node == above => return true,
            Some(parent) => node = parent,
            None => return false,
        }
    }
}
