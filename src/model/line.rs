//! Lines of text: in which language, in what kind of file, and where in a line something stands.

words! {
    /// The language of a file, told by its path.
    Language {
        C = "c", CloudFormation = "cloudformation", Cpp = "cpp", CSharp = "csharp", Css = "css", Dart = "dart",
        Dockerfile = "dockerfile", Elixir = "elixir", Go = "go", Groovy = "groovy", Html = "html", Java = "java",
        JavaScript = "javascript", Json = "json", Kotlin = "kotlin", Lua = "lua", Make = "make", Markdown = "markdown",
        ObjectiveC = "objective-c", Perl = "perl", Php = "php", PowerShell = "powershell", Properties = "properties",
        Python = "python", R = "r", Ruby = "ruby", Rust = "rust", Scala = "scala", Shell = "shell", Sql = "sql",
        Swift = "swift", Terraform = "terraform", Text = "text", Toml = "toml", TypeScript = "typescript", Xml = "xml",
        Yaml = "yaml", Unknown = "unknown",
    }
}

words! {
    /// What a file is to its project, told by its path. Head chooses its paths, so a class never hides anything by
    /// itself: it is a fact that rules may weigh.
    LineClass { Source = "source", Test = "test", Generated = "generated", Vendored = "vendored" }
}

words! {
    /// What the bytes at a place of a line are to the language.
    Region { Code = "code", Comment = "comment", Text = "string" }
}
