import pytest

from envmgr.spec.foreign import caret_specifier, translate


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("numpy=1.26", "write `numpy ==1.26.*`"),
        ("numpy=1.26.*", "write `numpy ==1.26.*`"),
        ("numpy 1.26*", "write `numpy ==1.26.*`"),
        ("numpy=1.26.4=py312_0", "write `numpy ==1.26.4.*`: wheels have no conda builds"),
        ("numpy==1.26.4=py312_0", "write `numpy==1.26.4`: wheels have no conda builds"),
        ("numpy 1.26.4 py312_0", "write `numpy ==1.26.4.*`: wheels have no conda builds"),
        ("python=3.12", 'write `python: "3.12"` as a key of the file'),
        ("conda-forge::numpy >=2", "write `numpy >=2`: conda's channels hold no wheels"),
        ("numpy >=1.26 <3", "write `numpy >=1.26,<3`"),
        ("numpy >= 1.26 < 3", "write `numpy >=1.26,<3`"),
        ("numpy=<2", "write `numpy <=2`"),
        ("numpy @ 1.26", "write `numpy ==1.26`"),
        ("dask[complete]=2024.1", "write `dask[complete] ==2024.1.*`"),
        (
            "https://a.example.org/my_x-1-py3-none-any.whl",
            "write `my_x @ https://a.example.org/my_x-1-py3-none-any.whl`",
        ),
        ("-r requirements.txt", "list what that file asks for here"),
        ("--constraint=limits.txt", "list what that file says under `constraints:`"),
        ("--extra-index-url https://a.example.org", "list that address under `indexes:`"),
        ("-f ./wheels", "list that address under `indexes:`"),
        ("--no-binary :all:", "remove it: pip's options have no meaning here"),
        ("numpy==2.0 --hash=sha256:aa", "write `numpy==2.0`: the lock has the hashes"),
        ("C:\\wheels\\x.whl", "write `NAME @ file:///absolute/path/of/a.whl`"),
    ],
)
def test_a_spelling_of_another_tool_is_translated(text: str, hint: str) -> None:
    assert translate(text) == hint


@pytest.mark.parametrize("text", ["numpy >=2", "numpy", "numpy[io] >=2,<3", "num py", "x" * 5000])
def test_what_is_nobodys_spelling_is_not_translated(text: str) -> None:
    assert translate(text) is None


@pytest.mark.parametrize(
    ("version", "specifier"),
    [
        ("1.2.3", ">=1.2.3,<2"),
        ("0.2.3", ">=0.2.3,<0.3"),
        ("0.0.3", ">=0.0.3,<0.0.4"),
        ("0", ">=0,<1"),
        ("0.0", ">=0.0,<0.1"),
    ],
)
def test_a_caret_allows_what_leaves_the_first_part_that_counts(
    version: str, specifier: str
) -> None:
    assert caret_specifier(version) == specifier
