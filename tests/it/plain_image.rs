//! Images of a small core, mounted; here those of nothing but Debian's packages: programs that find their data beside their own real place, in another
//! package.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    apt_root::{compared, compared_answering},
    home::{BECOME, Home, json_of},
    sovereign_path::forged_store,
};

/// An image, mounted.
pub(crate) struct Plain {
    pub(crate) home: Home,
    pub(crate) report: Value,
    pub(crate) image: String,
    pub(crate) root: PathBuf,
}

impl Plain {
    /// Of a core without code that asks for these packages.
    fn of(packages: &[&str]) -> Self {
        Self::configured("", packages)
    }

    /// The same with more lines in `forge.toml`.
    fn configured(lines: &str, packages: &[&str]) -> Self {
        let home = Home::new();
        let project = home.path("project");
        let core = project.join("crypt/core");
        fs::create_dir_all(core.join("plain")).unwrap();
        fs::create_dir_all(project.join("codex")).unwrap();
        let toml = format!("[image]\nname = \"localhost/plain\"\n{lines}");
        fs::write(project.join("codex/forge.toml"), toml).unwrap();
        fs::write(core.join("plain/__init__.py"), "").unwrap();
        let manifest = format!(
            r#"[project]
name = "plain"
version = "1"
requires-python = ">=3.12"

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.lychd]
system-dependencies = {packages:?}

[tool.lychd.image]
command = ["python"]
"#
        );
        fs::write(core.join("pyproject.toml"), manifest).unwrap();
        Self::forged(home, &project)
    }

    /// Of the directories `codex` and `crypt` in `project`.
    pub(crate) fn forged(home: Home, project: &Path) -> Self {
        // The example's store, so that Python is not built once more.
        let store = forged_store();
        let forge = ["forge", "--no-load", "--nix-store", store.to_str().unwrap()];
        let report: Value = json_of(&mut home.command_for(project, &forge));
        let image = report["image_id"].as_str().unwrap().to_owned();
        let root = home.mounted(home.command_for(project, &["stream", "newest"]), &image);
        Self { home, report, image, root }
    }

    fn synthesis(&self) -> Value {
        let text = fs::read_to_string(self.home.path("state/synthesis/synthesis.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// What a program says that the image's own user runs.
    fn answer(&self, options: &[&str], arguments: &[&str]) -> String {
        let user = self.home.podman(&["image", "inspect", "--format", "{{.Config.User}}", &self.image]);
        self.answer_as(user.split(':').next().unwrap(), options, arguments)
    }

    /// What a program says that `uid` runs.
    pub(crate) fn answer_as(&self, uid: &str, options: &[&str], arguments: &[&str]) -> String {
        let mut command = self.home.image_root(&self.root, &self.image, options);
        let output = command.args(["python", "-c", BECOME, uid]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.home.podman(&["image", "unmount", &self.image]);
    }
}

/// Chromium finds its resources, and the shell script that starts it its programs, beside themselves.
#[test]
#[ignore = "450 packages: make test-debian"]
fn debian_chromium_prints_a_page() {
    let plain = Plain::of(&["chromium", "fonts-dejavu-core"]);
    let script = r#"
import subprocess
open("/tmp/page.html", "w").write("<h1>lych</h1>")
options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir=/tmp/profile"]
subprocess.run(["chromium", *options, "--print-to-pdf=/tmp/page.pdf", "file:///tmp/page.html"], check=True, timeout=120)
print(open("/tmp/page.pdf", "rb").read(5).decode())
"#;
    assert_eq!(plain.answer(&["--unshare-net"], &["python", "-c", script]).lines().last(), Some("%PDF-"));
}

/// `LibreOffice` is many packages that meet in one directory, whose libraries look for one another by `$ORIGIN`.
#[test]
#[ignore = "200 packages: make test-debian"]
fn debian_libreoffice_converts_a_document() {
    let plain = Plain::of(&["libreoffice-writer-nogui", "fonts-dejavu-core"]);
    let script = r#"
import subprocess
open("/tmp/page.html", "w").write("<h1>lych</h1>")
subprocess.run(["soffice", "-env:UserInstallation=file:///tmp/profile", "--headless", "--convert-to", "pdf", "--outdir", "/tmp", "/tmp/page.html"], check=True, timeout=180)
print(open("/tmp/page.pdf", "rb").read(5).decode())
"#;
    assert_eq!(plain.answer(&["--unshare-net"], &["python", "-c", script]).lines().last(), Some("%PDF-"));
}

/// Sets of packages whose maintainer scripts and triggers make what their programs cannot do without: the root is
/// apt's, and the program answers.
fn answers_as_on_debian(packages: &[&str], arguments: &[&str]) -> String {
    let plain = Plain::of(packages);
    let (_, different) = compared(&plain.synthesis(), "vessel", &plain.root);
    assert_eq!(different, [""; 0]);
    plain.answer(&["--unshare-net"], arguments)
}

#[test]
#[ignore = "an image and apt's root of 150 packages: make test-debian"]
fn debian_r_runs_a_script() {
    assert_eq!(answers_as_on_debian(&["r-base-core"], &["Rscript", "-e", "cat(1 + 1)"]), "2");
}

#[test]
#[ignore = "an image and apt's root: make test-debian"]
fn debian_graphviz_has_formats() {
    let script = r#"
import subprocess
print(subprocess.run(["dot", "-Tpng"], input=b"digraph { lych -> phylactery }", check=True, stdout=subprocess.PIPE).stdout[:4])
"#;
    let told = answers_as_on_debian(&["graphviz", "fonts-dejavu-core"], &["python", "-c", script]);
    assert_eq!(told.trim(), r"b'\x89PNG'");
}

#[test]
#[ignore = "an image and apt's root: make test-debian"]
fn debian_odbc_has_drivers() {
    let packages = ["python3-pyodbc", "tdsodbc", "odbc-postgresql"];
    let script = "import pyodbc; print(*sorted(pyodbc.drivers()), sep=',')";
    let told = answers_as_on_debian(&packages, &["/usr/bin/python3", "-c", script]);
    assert_eq!(told.trim(), "FreeTDS,PostgreSQL ANSI,PostgreSQL Unicode");
}

#[test]
#[ignore = "an image and apt's root: make test-debian"]
fn debian_mecab_has_a_dictionary() {
    let script = "import MeCab; print(MeCab.Tagger('-Owakati').parse('今日は晴れ').strip())";
    let told =
        answers_as_on_debian(&["python3-mecab", "mecab-ipadic-utf8"], &["/usr/bin/python3", "-c", script]);
    assert_eq!(told.trim(), "今日 は 晴れ");
}

#[test]
#[ignore = "an image and apt's root: make test-debian"]
fn debian_java_trusts_authorities() {
    let list = ["keytool", "-list", "-cacerts", "-storepass", "changeit"];
    let told = answers_as_on_debian(&["openjdk-21-jre-headless"], &list);
    assert!(told.matches("trustedCertEntry").count() > 100, "{told}");
}

#[test]
#[ignore = "an image and apt's root: make test-debian"]
fn debian_nginx_finds_its_configuration() {
    let check = "sed 's/^pid .*//' /etc/nginx/nginx.conf > /tmp/nginx.conf
nginx -t -c /tmp/nginx.conf -g 'pid /tmp/nginx.pid; error_log stderr;' 2>&1 || true";
    let told = answers_as_on_debian(&["nginx"], &["sh", "-c", check]);
    assert!(told.contains("nginx.conf syntax is ok"), "{told}");
}

#[test]
#[ignore = "an image and apt's root: make test-debian"]
fn debian_postgresql_has_its_user() {
    let told = answers_as_on_debian(&["postgresql-17", "postgresql-17-pgvector"], &["id", "postgres"]);
    assert!(told.contains("(ssl-cert)"), "{told}");
}

/// `dnsmasq-base` makes its account without adduser, so that its number is known only after a first pass; what adduser
/// makes besides an account comes of the second.
#[test]
#[ignore = "an image and apt's root: make test-debian"]
fn debian_accounts_of_a_second_pass_have_homes() {
    let script =
        "import os, pwd; print(os.stat('/var/lib/bitlbee').st_uid == pwd.getpwnam('bitlbee').pw_uid)";
    let told = answers_as_on_debian(&["bitlbee", "dnsmasq-base"], &["python", "-c", script]);
    assert_eq!(told.trim(), "True");
}

#[test]
#[ignore = "an image and apt's root: make test-debian"]
fn debian_latex_sets_a_page() {
    let script = r#"
import os, subprocess
os.chdir("/tmp")
open("page.tex", "w").write(r"\documentclass{article}\begin{document}lych\end{document}")
subprocess.run(["pdflatex", "-interaction=batchmode", "page.tex"], check=True, stdout=subprocess.DEVNULL)
print(open("page.pdf", "rb").read(5).decode())
"#;
    assert_eq!(answers_as_on_debian(&["texlive-latex-base"], &["python", "-c", script]).trim(), "%PDF-");
}

/// The second is one whose name Debian has without its encoding.
#[test]
#[ignore = "an image and apt's root: make test-debian"]
fn debian_speaks_german() {
    let plain =
        Plain::configured("[substrate.debian]\nlocales = [\"de_DE.UTF-8\", \"sr_RS.UTF-8@latin\"]\n", &[]);
    let answers = "locales locales/locales_to_be_generated multiselect de_DE.UTF-8 UTF-8, sr_RS@latin UTF-8\n\
                   locales locales/default_environment_locale select de_DE.UTF-8\n";
    let (_, different) = compared_answering(answers, &plain.synthesis(), "vessel", &plain.root);
    assert_eq!(different, [""; 0]);
    let script = r#"
import locale, os, time
print(os.environ["LANG"])
print(locale.setlocale(locale.LC_ALL, ""))
print(time.strftime("%A, %e. %B", time.gmtime(0)))
print(locale.format_string("%.2f", 1234.5, grouping=True))
print(sorted(["Zebra", "Äpfel", "Apfel"], key=locale.strxfrm))
locale.setlocale(locale.LC_ALL, "sr_RS.UTF-8@latin")
print(time.strftime("%A", time.gmtime(0)))
"#;
    let told = plain.answer(&[], &["python", "-c", script]);
    let lines: Vec<&str> = told.lines().collect();
    let want = [
        "de_DE.UTF-8",
        "de_DE.UTF-8",
        "Donnerstag,  1. Januar",
        "1.234,50",
        "['Apfel', 'Äpfel', 'Zebra']",
        "četvrtak",
    ];
    assert_eq!(lines, want);
    let all = plain.answer(&[], &["locale", "-a"]);
    for name in ["de_DE.utf8", "sr_RS.utf8@latin", "C.utf8"] {
        assert!(all.lines().any(|line| line == name), "{name} is not in {all}");
    }
    let kept = fs::read_to_string(plain.root.join("etc/locale.conf")).unwrap();
    assert!(kept.lines().any(|line| line == "LANG=de_DE.UTF-8"), "{kept}");
}
