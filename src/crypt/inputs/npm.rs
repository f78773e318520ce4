//! Keys of `package.json` and of what npm, pnpm and yarn read beside it.

use super::input::{Fate, Input, Row};

/// `package.json`.
pub const PACKAGE_JSON: Input = Input {
    name: "package.json",
    about: "at a member's root, at the `source` of its `[tool.lychd.assets]`, and wherever these lead. Scripts and tools of the front end read the file itself as well.",
    rows: &[&[
        Row::taken(
            &[
                "dependencies",
                "devDependencies",
                "optionalDependencies",
                "peerDependencies",
                "peerDependenciesMeta",
            ],
            "see `package.json` in formats.md",
        ),
        Row::taken(&["bin", "engines", "name", "overrides", "scripts", "version", "workspaces"], "see there"),
        Row::taken(&["pnpm"], "by its own keys, below"),
        Row::refused(
            &["resolutions"],
            "yarn alone reads it, and the forge locks with npm",
            "write the same versions as `overrides`, with `name@range` for `name@npm:range` and a table for `parent/name`; npm has `$name` for what the file itself wants",
        ),
        Row::refused(
            &["packageExtensions", "patchedDependencies", "catalog", "catalogs"],
            "bun and pnpm alone read it, and the forge locks with npm",
            "write versions as `overrides`; a package with changes goes into the member as a tarball, `file:vendor/<name>.tgz`",
        ),
        Row::noted(
            &["packageManager", "devEngines"],
            "npm locks and installs, at the version that the forge pins; `engines` chooses the Node",
        ),
        Row::noted(
            &["allowScripts", "trustedDependencies"],
            "npm's and bun's list; install scripts run of what `[policy] allow-scripts` in forge.toml names",
        ),
        Row::noted(&["dependenciesMeta", "installConfig"], "yarn and pnpm alone read it"),
        Row::noted(&["os", "cpu", "libc"], "the image's platform is the Codex's"),
        Row::harmless(
            &["bundleDependencies", "bundledDependencies", "publishConfig", "files", "private"],
            "for what is published",
        ),
        Row::harmless(
            &[
                "author",
                "cacheDirectories",
                "bugs",
                "contributors",
                "description",
                "directories",
                "displayName",
                "productName",
                "funding",
                "homepage",
                "keywords",
                "license",
                "licenses",
                "maintainers",
                "man",
                "readme",
                "repository",
                "$schema",
                "//*",
            ],
            "for people",
        ),
        Row::harmless(
            &[
                "browser",
                "config",
                "esnext",
                "exports",
                "imports",
                "jsdelivr",
                "main",
                "module",
                "react-native",
                "sideEffects",
                "source",
                "style",
                "svelte",
                "type",
                "types",
                "typesVersions",
                "typings",
                "unpkg",
            ],
            "Node and the bundler read it in the file",
        ),
        Row::harmless(
            &[
                "ava",
                "babel",
                "browserslist",
                "c8",
                "commitlint",
                "cspell",
                "eslintConfig",
                "eslintIgnore",
                "husky",
                "expo",
                "jest",
                "knip",
                "lint-staged",
                "manypkg",
                "mocha",
                "msw",
                "nano-staged",
                "nx",
                "nyc",
                "pkg",
                "postcss",
                "pre-commit",
                "preferGlobal",
                "prettier",
                "prisma",
                "proxy",
                "release",
                "remarkConfig",
                "simple-git-hooks",
                "size-limit",
                "standard",
                "stylelint",
                "tsup",
                "vite",
                "volta",
                "web-types",
                "wireit",
                "xo",
            ],
            "its own tool reads it in the file",
        ),
    ]],
    others: Fate::Noted,
};

/// `pnpm` in `package.json`.
pub const PNPM: Input =
    Input { name: "`pnpm` of package.json", about: "", rows: &[PNPM_KEYS], others: Fate::Noted };

/// What pnpm reads in either place.
const PNPM_KEYS: &[Row] = &[
    Row::refused(
        &["overrides"],
        "pnpm alone reads it, and the forge locks with npm",
        "write the same versions as `overrides` of `package.json`",
    ),
    Row::refused(
        &["patchedDependencies"],
        "pnpm alone reads it, and the packages would be without their patches",
        "put the changed package into the member as a tarball, `file:vendor/<name>.tgz`",
    ),
    Row::refused(
        &["packageExtensions"],
        "pnpm alone reads it, and the forge locks with npm",
        "add what is missing to `dependencies`",
    ),
    Row::noted(
        &[
            "ignoredOptionalDependencies",
            "peerDependencyRules",
            "supportedArchitectures",
            "allowedDeprecatedVersions",
        ],
        "pnpm alone reads it, and the forge locks with npm",
    ),
    Row::harmless(
        &[
            "allowBuilds",
            "ignoredBuiltDependencies",
            "neverBuiltDependencies",
            "onlyBuiltDependencies",
            "onlyBuiltDependenciesFile",
        ],
        "install scripts run of what `[policy] allow-scripts` in forge.toml names, and of nothing else",
    ),
    Row::harmless(
        &["auditConfig", "executionEnv", "requiredScripts", "updateConfig"],
        "other commands of pnpm",
    ),
];

/// `pnpm-workspace.yaml`.
pub const PNPM_WORKSPACE: Input = Input {
    name: "pnpm-workspace.yaml",
    about: "beside a `package.json`; its top-level keys.",
    rows: &[
        PNPM_KEYS,
        &[
            Row::noted(
                &["packages"],
                "pnpm alone reads it; name the same directories as `workspaces` of `package.json`",
            ),
            Row::harmless(
                &["catalog", "catalogs"],
                "a dependency that is `catalog:` is refused where it stands",
            ),
            Row::refused(
                &["registry", "registries", "namedRegistries"],
                "npm packages come from the public registry or its mirrors in forge.toml",
                "put packages of other registries into the member, `file:vendor/<name>.tgz`",
            ),
            Row::noted(
                &[
                    "hoist",
                    "hoistPattern",
                    "minimumReleaseAge",
                    "minimumReleaseAgeExclude",
                    "trustPolicy",
                    "trustPolicyExclude",
                    "nodeLinker",
                    "publicHoistPattern",
                    "shamefullyHoist",
                    "strictPeerDependencies",
                    "autoInstallPeers",
                    "linkWorkspacePackages",
                    "nodeVersion",
                    "useNodeVersion",
                    "pnpmfile",
                    "configDependencies",
                ],
                "pnpm alone reads it, and packages are laid out as npm does",
            ),
        ],
    ],
    others: Fate::Noted,
};

/// `.yarnrc.yml`.
pub const YARNRC: Input = Input {
    name: ".yarnrc.yml",
    about: "beside a `package.json`; its top-level keys.",
    rows: &[&[
        Row::refused(&["enableStrictSsl"], "every artifact comes over verified TLS", "take it out"),
        Row::refused(
            &["npmRegistryServer", "npmScopes", "npmRegistries", "unsafeHttpWhitelist"],
            "npm packages come from the public registry or its mirrors in forge.toml",
            "put packages of other registries into the member, `file:vendor/<name>.tgz`",
        ),
        Row::refused(
            &["packageExtensions", "catalog", "catalogs"],
            "yarn alone reads it, and the forge locks with npm",
            "add what is missing to `dependencies`",
        ),
        Row::noted(
            &["npmMinimalAgeGate", "npmPreapprovedPackages"],
            "yarn alone reads it: npm takes a version from the day that it is released",
        ),
        Row::harmless(
            &[
                "nmMode",
                "nodeLinker",
                "npmAuditIgnoreAdvisories",
                "npmAuditRegistry",
                "enableTelemetry",
                "enableScripts",
                "yarnPath",
                "compressionLevel",
                "enableGlobalCache",
                "cacheFolder",
                "logFilters",
                "plugins",
                "checksumBehavior",
                "enableImmutableInstalls",
                "enableProgressBars",
                "defaultSemverRangePrefix",
            ],
            "packages are laid out as npm does, and install scripts run of what the policy names",
        ),
    ]],
    others: Fate::Noted,
};

/// Where the forge takes npm packages from, as `.npmrc` has it.
pub const REGISTRY: &str = "https://registry.npmjs.org";

/// `.npmrc`.
pub const NPMRC: Input = Input {
    name: ".npmrc",
    about: "beside a `package.json`, as npm reads it there; the user's own is not read. A value that is npm's default says nothing.",
    rows: &[&[
        Row::refused(
            &["registry", "@*:registry"],
            "npm packages come from the public registry or its mirrors in forge.toml, and another's name there may be a stranger's",
            "put packages of other registries into the member, `file:vendor/<name>.tgz`, and take the line out",
        ),
        Row::refused(
            &["legacy-peer-deps", "force", "strict-peer-deps"],
            "peers are resolved as npm does by default, for all members together",
            "say the version that a peer is to have as `overrides` of `package.json`: `{ \"<package>\": { \"<peer>\": \"$<peer>\" } }`",
        ),
        Row::refused(&["strict-ssl"], "every artifact comes over verified TLS", "take the line out"),
        Row::refused(
            &["before", "min-release-age", "min-release-age-exclude"],
            "it would hold for one member of many",
            "pin versions in `package.json`; what is locked stays",
        ),
        Row::noted(
            &["//*", "_auth", "_authToken", "_password"],
            "a login in a source tree lies in the store and in the flake: take it out; logins come from ~/.netrc",
        ),
        Row::noted(
            &[
                "include",
                "omit",
                "optional",
                "install-strategy",
                "install-links",
                "global-style",
                "legacy-bundling",
                "bin-links",
                "prefer-dedupe",
                "only",
                "production",
            ],
            "packages are laid out as `npm ci` does, development packages among them",
        ),
        Row::noted(
            &[
                "auto-install-peers",
                "hoist",
                "hoist-pattern",
                "node-linker",
                "public-hoist-pattern",
                "resolution-mode",
                "shamefully-hoist",
                "strict-peer-dependencies",
                "use-node-version",
                "link-workspace-packages",
                "shared-workspace-lockfile",
                "ignore-workspace-root-check",
                "prefer-workspace-packages",
            ],
            "pnpm alone reads it, and packages are laid out as npm does",
        ),
        Row::noted(&["os", "cpu", "libc"], "the image's platform is the Codex's"),
        Row::harmless(
            &[
                "node-options",
                "script-shell",
                "shell-emulator",
                "foreground-scripts",
                "ignore-scripts",
                "if-present",
                "enable-pre-post-scripts",
            ],
            "npm reads it when the script runs; install scripts run of what the policy names",
        ),
        Row::harmless(
            &["engine-strict", "tag", "prefer-offline", "prefer-online", "offline"],
            "`engines` chooses the Node; what is locked stays",
        ),
        Row::harmless(
            &[
                "access",
                "allow-same-version",
                "allow-scripts",
                "auth-type",
                "audit",
                "audit-level",
                "cache",
                "color",
                "commit-hooks",
                "fund",
                "git-tag-version",
                "init-*",
                "init.*",
                "lockfile",
                "lockfile-version",
                "loglevel",
                "message",
                "package-lock",
                "progress",
                "provenance",
                "save",
                "save-*",
                "side-effects-cache",
                "sign-git-tag",
                "tag-version-prefix",
                "unicode",
                "update-notifier",
                "workspaces-update",
            ],
            "other commands of npm, or how it speaks",
        ),
        Row::harmless(
            &[
                "ca",
                "cafile",
                "cert",
                "fetch-*",
                "replace-registry-host",
                "https-proxy",
                "key",
                "maxsockets",
                "network-concurrency",
                "noproxy",
                "proxy",
                "http-proxy",
                "always-auth",
                "email",
                "username",
            ],
            "how the network is reached is the operator's",
        ),
    ]],
    others: Fate::Noted,
};

/// `scripts` that npm runs by itself when it installs a package's own directory.
pub const LIFECYCLE: Input = Input {
    name: "`scripts` of package.json",
    about: "of a `package.json` that a front end is built in.",
    rows: &[&[
        Row::taken(
            &["<script>"],
            "the one that `script` of [tool.lychd.assets] names, with its `pre` and `post`",
        ),
        Row::noted(
            &["preinstall", "install", "postinstall", "preprepare", "prepare", "postprepare", "prepublish"],
            "npm runs it when a developer installs, and the build runs the one script that `script` in [tool.lychd.assets] names: call it there",
        ),
    ]],
    others: Fate::Harmless,
};
