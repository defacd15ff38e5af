package dev.lockstep.files;

import java.nio.file.Path;

/**
 * The room on a folder's disk. {@code FileStore} is not used, because it looks the disk up in the
 * table of mounts, which lacks it inside of a chroot.
 */
public final class FreeSpace {
  private FreeSpace() {}

  /** Bytes that this process may still write there; {@link Long#MAX_VALUE} if nobody can say. */
  public static long of(Path folder) {
    return total(folder) == 0 ? Long.MAX_VALUE : folder.toFile().getUsableSpace();
  }

  /** Bytes of the whole disk; 0 if nobody can say, as where there is no such folder. */
  public static long total(Path folder) {
    return folder.toFile().getTotalSpace();
  }
}
