//! What a Rust file uses: its tokens, without comments, texts and tests, and the paths that leave its module.

/// A path from the root of the crate, and whether it was in a `use` (then with the name it has in the module).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The module that it stands in.
    pub(crate) from: Vec<String>,
    /// The path from the root of the crate.
    pub(crate) path: Vec<String>,
    /// The name by which `from` knows it, of an import.
    pub(crate) import: Option<String>,
}

/// What the tests of a crate alone are made of, and what the rest refers to.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// Modules in files of their own that only tests have.
    pub(crate) tests: Vec<Vec<String>>,
    pub(crate) references: Vec<Reference>,
}

/// Reads the text of `module`, whose path has no `crate` in front.
pub(crate) fn read(text: &str, module: &[String]) -> Contents {
    let mut reader =
        Reader { tokens: tokens(text), at: 0, module: module.to_vec(), contents: Contents::default() };
    reader.items();
    reader.contents
}

/// Names and single marks; texts, characters, lifetimes and comments are left out.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        at += match rest {
            ['/', '/', ..] => line(rest),
            ['/', '*', ..] => comment(rest),
            ['r', '"' | '#', ..] if raw_text(rest).is_some() => raw_text(rest).unwrap_or(1),
            ['"', ..] => quoted(rest),
            ['\'', '\\', ..] | ['\'', _, '\'', ..] => character(rest),
            ['\'', ..] => 1 + word(&rest[1..]),
            [first, ..] if first.is_alphanumeric() || *first == '_' => {
                tokens.push(rest[..word(rest)].iter().collect());
                word(rest)
            }
            [first, ..] => {
                if !first.is_whitespace() {
                    tokens.push(first.to_string());
                }
                1
            }
            [] => 1,
        };
    }
    tokens
}

fn line(rest: &[char]) -> usize {
    rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())
}

fn comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => depth += 1,
            ['*', '/', ..] => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of `r"…"` or `r#"…"#`; nothing if it is a raw name.
fn raw_text(rest: &[char]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let body = &rest[hashes + 2..];
    let length = body.windows(end.len()).position(|window| window == end).unwrap_or(body.len());
    Some((hashes + 2 + length + end.len()).min(rest.len()))
}

fn quoted(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

fn character(rest: &[char]) -> usize {
    let begin = if rest[1] == '\\' { 3 } else { 2 };
    let end = rest[begin..].iter().position(|c| *c == '\'').unwrap_or(0);
    begin + end + 1
}

fn word(rest: &[char]) -> usize {
    rest.iter().take_while(|c| c.is_alphanumeric() || **c == '_').count()
}

struct Reader {
    tokens: Vec<String>,
    at: usize,
    module: Vec<String>,
    contents: Contents,
}

impl Reader {
    fn peek(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", String::as_str)
    }

    fn follows(&self, expected: &[&str]) -> bool {
        expected.iter().enumerate().all(|(ahead, token)| self.peek(ahead) == *token)
    }

    /// Everything up to the brace that closes the module, or the end.
    fn items(&mut self) {
        let mut depth = 0;
        while self.at < self.tokens.len() {
            if self.is_test() {
                self.test();
            } else if self.peek(0) == "mod" && self.peek(2) == "{" {
                self.module.push(self.peek(1).to_string());
                self.at += 3;
                self.items();
                self.module.pop();
            } else if self.peek(0) == "use" {
                self.at += 1;
                let base = self.base().unwrap_or_else(|| self.module.clone());
                self.tree(base, true);
            } else if let Some(base) = self.base() {
                self.tree(base, false);
            } else {
                match self.peek(0) {
                    "{" => depth += 1,
                    "}" if depth == 0 => {
                        self.at += 1;
                        return;
                    }
                    "}" => depth -= 1,
                    _ => {}
                }
                self.at += 1;
            }
        }
    }

    fn is_test(&self) -> bool {
        let test =
            ["test", "doctest"].contains(&self.peek(4)) || (self.peek(4) == "all" && self.peek(6) == "test");
        self.follows(&["#", "[", "cfg", "("]) && test
    }

    /// Skips the item that only tests have.
    fn test(&mut self) {
        while self.peek(0) == "#" {
            self.at += 1;
            self.group();
        }
        while ["pub", "(", "crate", "super", ")"].contains(&self.peek(0)) {
            self.at += 1;
        }
        if self.peek(0) == "mod" && self.peek(2) == ";" {
            let mut module = self.module.clone();
            module.push(self.peek(1).to_string());
            self.contents.tests.push(module);
        }
        let import = self.peek(0) == "use";
        while self.at < self.tokens.len() && self.peek(0) != ";" {
            let body = self.peek(0) == "{";
            self.group();
            if body && !import {
                return;
            }
        }
        self.at += 1;
    }

    /// Skips one token, or all that its bracket holds.
    fn group(&mut self) {
        let mut depth = 0;
        while self.at < self.tokens.len() {
            match self.peek(0) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth <= 0 {
                return;
            }
        }
    }

    /// What `crate::`, `self::` or `super::` stands for, if that is what follows.
    fn base(&mut self) -> Option<Vec<String>> {
        let mut base = match (self.peek(0), self.peek(1), self.peek(2)) {
            ("crate", ":", ":") => Vec::new(),
            ("self", ":", ":") => self.module.clone(),
            ("super", ":", ":") => self.parent(&self.module),
            _ => return None,
        };
        self.at += 3;
        while self.follows(&["super", ":", ":"]) {
            base = self.parent(&base);
            self.at += 3;
        }
        Some(base)
    }

    fn parent(&self, module: &[String]) -> Vec<String> {
        module[..module.len().saturating_sub(1)].to_vec()
    }

    /// A path, or several in braces, from `base` on.
    fn tree(&mut self, mut path: Vec<String>, import: bool) {
        loop {
            match self.peek(0) {
                "{" if import => {
                    self.at += 1;
                    while !["}", ""].contains(&self.peek(0)) {
                        self.tree(path.clone(), true);
                        if self.peek(0) == "," {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "*" => self.at += 1,
                name if name.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                    if name != "self" {
                        path.push(name.to_string());
                    }
                    self.at += 1;
                    if self.follows(&[":", ":"]) && self.peek(2) != "<" {
                        self.at += 2;
                        continue;
                    }
                }
                _ => {
                    // neither a name nor a brace: nothing that a path goes on with
                    self.at += usize::from(import && self.peek(0) != "}");
                    return;
                }
            }
            break;
        }
        let mut name = path.last().cloned();
        if import && self.peek(0) == "as" {
            name = Some(self.peek(1).to_string());
            self.at += 2;
        }
        let import = name.filter(|_| import);
        self.contents.references.push(Reference { from: self.module.clone(), path, import });
    }
}
