"""What a shell is offered: the protocol that its script speaks, and the script itself in bash."""

import os
import shlex
import shutil
import subprocess
import sys

import pytest
from click.shell_completion import get_completion_class

from acutance.cli import commands
from acutance.cli.completion import SHELLS, VARIABLE, make_ready
from acutance.errors import InputError

BASH = shutil.which("bash")


def asked(monkeypatch, line: str, shell: str = "bash") -> list[str]:
    """What is offered at the end of a line, as its lines go to the shell."""
    word = line.rpartition(" ")[2]
    for separator in ("=", ":"):  # bash cuts here
        word = word.rpartition(separator)[2] or (separator if separator in word else word)
    quoted = line.rpartition('"')
    if line.count('"') % 2:
        word = f'"{quoted[2]}'
    words = shlex.split(line + ('"' if line.count('"') % 2 else ""))
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.setenv("COMP_WORD", word)
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(words) - (not line.endswith(" "))))
    make_ready()
    found = get_completion_class(shell)
    assert found is not None
    return found(commands, {}, "acutance", VARIABLE).complete().splitlines()


def names(monkeypatch, line: str) -> list[str]:
    found = asked(monkeypatch, line)
    return [item.removeprefix("plain,") for item in found if item.startswith("plain,")]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("acutance comp", {"compare", "completion"}),
        ("acutance completion p", {"powershell"}),
        ("acutance train photos --loss ms_s", {"ms_ssim"}),
        ('acutance train photos --loss "80% l1 + 20% ms_s', {"80% l1 + 20% ms_ssim"}),
        ("acutance compare photos --loss l1+0.1*ms_s", {"l1+0.1*ms_ssim"}),
        ("acutance train photos --recipe esrg", {"esrgan"}),
        ("acutance train photos --recipe esrgan:pa", {"paper"}),
        ("acutance train photos --recipe=esrgan:pa", {"paper"}),
        ("acutance train photos --recipe=esrg", {"esrgan"}),
        ("acutance train --network compact:na", {"nano"}),
        ("acutance upscale a.png --model nano-", {"nano-x2"}),
        ("acutance evaluate bic", {"bicubic"}),
        ("acutance evaluate nano --protocol y", {"y@1"}),
        ("acutance evaluate nano --metrics psnr,ss", {"psnr,ssim"}),
        ("acutance upscale a.png --engine onn", {"onnx_runtime"}),
        ("acutance degrade a.png --degrade real-esr", {"real-esrgan"}),
        ('acutance degrade a.png --degrade "reduce | jp', {"reduce | jpeg"}),
        ("acutance tune photos --terms l1,ms_s", {"l1,ms_ssim"}),
        ("acutance tune photos --objec", {"--objective"}),
        ("acutance tune --objec", {"--objective"}),
        ("acutance tune app", {"apply"}),
        ("acutance losses show ms_s", {"ms_ssim"}),
        ("acutance compare --prim", {"--primary"}),
        ("acutance unheard-of --lo", set()),
    ],
)
def test_names_are_offered_where_they_may_stand(monkeypatch, line, offered):
    found = names(monkeypatch, line)
    assert offered <= set(found)
    assert offered or not found
    assert not any("PSNR" in one for one in found)


def test_a_name_with_a_colon_is_given_as_bash_needs_it(monkeypatch):
    """Bash replaces what stands behind the colon: the whole name would stand there twice."""
    assert {"nano", "small"} <= set(names(monkeypatch, "acutance train --network compact:"))
    assert "compact:nano" in names(monkeypatch, "acutance train --network comp")


def test_metrics_are_offered_once(monkeypatch):
    found = names(monkeypatch, "acutance compare p --metrics psnr,ssim,")
    assert "psnr,ssim,lpips" in found
    assert not any(one.endswith((",psnr", ",ssim")) for one in found)


@pytest.mark.parametrize(
    "line",
    ["train ", "compare ", "tune ", "train p --data ", "upscale ", "upscale a --model ", "view "],
)
def test_files_are_left_to_the_shell(monkeypatch, line):
    assert any(item.startswith("file,") for item in asked(monkeypatch, f"acutance {line}"))


def test_power_shell_gets_quotes(monkeypatch):
    line = 'acutance train photos --loss "80% l1 + 20% ms_s'
    assert "'80% l1 + 20% ms_ssim'" in asked(monkeypatch, line, "powershell")


def test_fish_is_told_names_with_commas_whole():
    make_ready()
    found = get_completion_class("fish")
    assert found is not None
    assert 'string split -m 1 ","' in found(commands, {}, "acutance", VARIABLE).source()


def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    code = (
        "import sys; sys.argv = ['acutance', *sys.argv[1:]]\n"
        "from acutance.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    heavy = {'torch', 'numpy', 'pydantic', 'PIL'} & set(sys.modules)\n"
        "    sys.stderr.write(f'{heavy or None}\\n')"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        env=os.environ | more,
        timeout=60,
    )


def test_the_command_answers_a_shell_without_importing_anything_heavy():
    line = "acutance train --loss l1+pseudo"
    done = run(**{VARIABLE: "bash_complete", "COMP_LINE": line, "COMP_WORD": "l1+pseudo"})
    assert (done.returncode, done.stdout) == (0, "plain,l1+pseudo_huber\n")
    assert done.stderr == "None\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_each_script_names_the_variable_and_the_command(shell):
    from click.testing import CliRunner

    done = CliRunner().invoke(commands, ["completion", shell], prog_name="acutance")
    assert done.exit_code == 0
    assert VARIABLE in done.output
    assert "acutance" in done.output


def test_a_click_without_power_shell_says_so(monkeypatch):
    monkeypatch.setattr("acutance.cli.completion.get_completion_class", lambda _: None)
    with pytest.raises(InputError, match=r"knows no powershell\. Install a newer one"):
        commands.main(["completion", "powershell"], standalone_mode=False)


@pytest.mark.skipif(BASH is None, reason="no bash")
def test_bash_takes_the_script_and_completes(tmp_path):
    """The script as it is installed, its function called as bash would call it."""
    make_ready()
    found = get_completion_class("bash")
    assert found is not None
    script = tmp_path / "acutance.bash"
    script.write_text(found(commands, {}, "acutance", VARIABLE).source(), encoding="utf-8")
    tool = tmp_path / "acutance"
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m acutance "$@"\n', encoding="utf-8")
    tool.chmod(0o755)
    told = subprocess.run(
        [
            BASH or "bash",
            "--norc",
            "-euc",
            f'source "{script}"; complete -p acutance; '
            "COMP_LINE='acutance train --recipe esrgan:pap'; COMP_POINT=${#COMP_LINE}; "
            "COMP_WORDS=(acutance train --recipe esrgan : pap); COMP_CWORD=5; "
            f'_acutance_completion "{tool}"; printf "%s\\n" "${{COMPREPLY[@]}}"',
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.splitlines() == [
        "complete -o nosort -F _acutance_completion acutance",
        "paper",
    ]
    assert told.stderr == ""
