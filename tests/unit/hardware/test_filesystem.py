from envmgr.hardware.filesystem import kind_of

MOUNTS = [
    "22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw",
    "40 22 0:35 / /scratch rw,noatime shared:7 master:2 - lustre mgs:/work rw,flock",
    "41 40 0:36 / /scratch/my\\040home rw - nfs4 server:/home rw",
    "42 22 0:37 / /scratch rw - beegfs beegfs_nodev rw",
]


def test_the_longest_mount_point_above_a_path_tells_and_of_equal_ones_the_last() -> None:
    assert kind_of("/etc/x", MOUNTS) == "ext4"
    assert kind_of("/scratch/me/store", MOUNTS) == "beegfs"
    assert kind_of("/scratch/me/store", MOUNTS[:3]) == "lustre"
    assert kind_of("/scratch/my home/store", MOUNTS) == "nfs4"
    assert kind_of("/scratched", MOUNTS) == "ext4"


def test_what_is_no_line_of_mountinfo_tells_nothing() -> None:
    assert kind_of("/x", ["", "garbage", "1 2 3 4 / 6 7"]) == ""
