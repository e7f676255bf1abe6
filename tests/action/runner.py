"""Runs the steps of a composite action as GitHub's runner does, as far as action.yml needs it.

Expressions are evaluated as docs.github.com describes them ("Evaluate expressions in workflows and actions"), `run:` steps
run as `bash --noprofile --norc -eo pipefail FILE` in the workspace, the files of GITHUB_OUTPUT and GITHUB_STEP_SUMMARY are
read back ("Workflow commands for GitHub Actions"), and `uses:` steps are answered by the test. An expression, a function or
a key that is not known here ends the run: nothing is skipped in silence.
"""

import os
import pathlib
import re
import subprocess
from dataclasses import dataclass, field

import yaml

TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(\d+)|(&&|\|\||==|!=|!|\(|\)|,|\[|\]|\.)|([A-Za-z_][A-Za-z0-9_-]*))")


class Expression:
    """One `${{ … }}`: literals, paths, `== != && || !`, parentheses and the functions always, success and format."""

    def __init__(self, text, contexts, ok):
        self.tokens, self.at, self.contexts, self.ok = [], 0, contexts, ok
        position, text = 0, text.strip()
        while position < len(text):
            match = TOKEN.match(text, position)
            if not match:
                raise ValueError(f"expression {text!r} at {position}")
            self.tokens.append(match)
            position = match.end()

    def peek(self):
        return self.tokens[self.at].group().strip() if self.at < len(self.tokens) else None

    def take(self, expected=None):
        token = self.tokens[self.at]
        if expected is not None and token.group().strip() != expected:
            raise ValueError(f"expected {expected}")
        self.at += 1
        return token

    def value(self):
        result = self.either()
        if self.peek() is not None:
            raise ValueError(f"what is left: {self.peek()}")
        return result

    def either(self):
        left = self.both()
        while self.peek() == "||":
            self.take()
            right = self.both()
            left = left or right
        return left

    def both(self):
        left = self.equal()
        while self.peek() == "&&":
            self.take()
            right = self.equal()
            left = left and right
        return left

    def equal(self):
        left = self.one()
        while self.peek() in ("==", "!="):
            wanted = self.take().group().strip() == "=="
            right = self.one()
            # Texts are compared without regard to case; null is the empty text.
            same = text_of(left).lower() == text_of(right).lower()
            left = same == wanted
        return left

    def one(self):
        token = self.take()
        literal, number, sign, name = token.groups()
        if literal is not None:
            return literal[1:-1].replace("''", "'")
        if number is not None:
            return int(number)
        if sign == "!":
            return not self.one()
        if sign == "(":
            inner = self.either()
            self.take(")")
            return inner
        if name is None:
            raise ValueError(f"unexpected {sign}")
        return self.call(name) if self.peek() == "(" else self.path(name)

    def call(self, name):
        self.take("(")
        arguments = []
        while self.peek() != ")":
            arguments.append(self.either())
            if self.peek() == ",":
                self.take()
        self.take(")")
        if name == "always":
            return True
        if name == "success":
            return self.ok
        if name == "format":
            return re.sub(r"\{(\d+)\}", lambda m: text_of(arguments[1 + int(m.group(1))]), arguments[0])
        raise ValueError(f"function {name}")

    def path(self, name):
        if name not in self.contexts:
            raise ValueError(f"context {name}")
        here = self.contexts[name]
        while self.peek() in (".", "["):
            if self.take().group().strip() == ".":
                key = self.take().group().strip()
            else:
                key = self.either()
                self.take("]")
            if isinstance(here, dict):
                here = here.get(key)
            elif isinstance(here, list) and isinstance(key, int) and key < len(here):
                here = here[key]
            else:
                here = None
        return here


def text_of(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def filled(text, contexts):
    return re.sub(
        r"\$\{\{(.*?)\}\}", lambda m: text_of(Expression(m.group(1), contexts, True).value()), text, flags=re.S
    )


@dataclass
class Result:
    """What one run of the action left behind."""

    code: int = 0
    log: str = ""
    outputs: dict = field(default_factory=dict)
    summary: str = ""
    used: list = field(default_factory=list)
    ran: list = field(default_factory=list)

    def used_with(self, action):
        return [inputs for name, inputs in self.used if name.startswith(action + "@")]

    def commands(self):
        """Lines of the log that the runner obeys: none while a `stop-commands` is in force."""
        found, stopped = [], None
        for line in self.log.splitlines():
            if stopped is not None:
                if line.strip() == f"::{stopped}::":
                    stopped = None
                continue
            if line.lstrip().startswith("::stop-commands::"):
                stopped = line.lstrip().removeprefix("::stop-commands::")
            elif line.lstrip().startswith("::") or "##[" in line:
                found.append(line)
        return found


def read_outputs(path):
    outputs, lines = {}, pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    while lines:
        line = lines.pop(0)
        if "<<" in line and ("=" not in line or line.index("<<") < line.index("=")):
            name, word = line.split("<<", 1)
            value = []
            while lines and lines[0] != word:
                value.append(lines.pop(0))
            lines.pop(0)
            outputs[name] = "\n".join(value)
        else:
            name, value = line.split("=", 1)
            outputs[name] = value
    return outputs


class Runner:
    """One job on one machine. `uses` answers the steps that call other actions: (name, inputs) -> outputs."""

    def __init__(self, folder, action, workspace, environment, uses):
        self.folder, self.action, self.workspace = folder, action, workspace
        self.environment, self.uses = environment, uses
        self.temp = os.path.join(folder, "temp")
        os.makedirs(self.temp, exist_ok=True)

    def run(self, github, inputs):
        document = yaml.safe_load(pathlib.Path(self.action, "action.yml").read_text(encoding="utf-8"))
        unknown = set(inputs) - set(document["inputs"])
        if unknown:
            raise ValueError(f"inputs that the action does not have: {unknown}")
        contexts = {"github": github, "runner": {"temp": self.temp, "os": self.environment["RUNNER_OS"]}, "steps": {}}
        contexts["inputs"] = {
            name: inputs.get(name, filled(str(entry.get("default", "")), contexts))
            for name, entry in document["inputs"].items()
        }
        result, summary = Result(), os.path.join(self.folder, "summary")
        pathlib.Path(summary).write_text("")
        for number, step in enumerate(document["runs"]["steps"]):
            unknown = set(step) - {"name", "id", "if", "shell", "run", "uses", "with", "env"}
            if unknown:
                raise ValueError(f"keys of a step that are not known: {unknown}")
            condition = str(step.get("if", "success()"))
            wanted = bool(Expression(condition, contexts, result.code == 0).value())
            if "always()" not in condition:
                wanted = wanted and result.code == 0
            outputs = {}
            if wanted:
                outputs = self.step(step, number, contexts, result, summary)
            contexts["steps"][step.get("id", f"_{number}")] = {"outputs": outputs}
        result.summary = pathlib.Path(summary).read_text(encoding="utf-8")
        for name, entry in document["outputs"].items():
            result.outputs[name] = filled(entry["value"], contexts)
        return result

    def step(self, step, number, contexts, result, summary):
        result.ran.append(step["name"])
        if "uses" in step:
            inputs = {name: filled(str(value), contexts) for name, value in step.get("with", {}).items()}
            result.used.append((step["uses"], inputs))
            return self.uses(step["uses"], inputs) or {}
        if step["shell"] != "bash" or "${{" in step["run"]:
            raise ValueError("a script that is not bash, or that has an expression in it")
        output = os.path.join(self.folder, f"output-{number}")
        script = os.path.join(self.temp, f"step-{number}.sh")
        pathlib.Path(output).write_text("")
        pathlib.Path(script).write_text(step["run"] + "\n", encoding="utf-8")
        environment = dict(self.environment)
        environment.update(
            GITHUB_OUTPUT=output, GITHUB_STEP_SUMMARY=summary, GITHUB_ACTION_PATH=self.action, RUNNER_TEMP=self.temp
        )
        environment.update({name: filled(str(value), contexts) for name, value in step.get("env", {}).items()})
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self.workspace,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
            check=False,
        )
        result.log += done.stdout.decode("utf-8", "replace")
        if done.returncode != 0 and result.code == 0:
            result.code = done.returncode
        return read_outputs(output)
