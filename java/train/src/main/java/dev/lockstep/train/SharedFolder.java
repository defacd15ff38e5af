package dev.lockstep.train;

import dev.lockstep.checkpoint.CheckpointException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.files.DurableFiles;
import dev.lockstep.monitor.RunFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;

/** Whether all ranks see the run's folder, as on one host or on a shared file system. */
final class SharedFolder {
  private final Optional<RunFolder> folder;
  private final Communicator communicator;

  SharedFolder(Optional<RunFolder> folder, Communicator communicator) {
    this.folder = folder;
    this.communicator = communicator;
  }

  /**
   * Has rank 0 make a file that the others look for; collective.
   *
   * @throws CheckpointException on rank 0 if the folder cannot be written
   */
  boolean isSeenByAll() {
    byte[] name = new byte[0];
    if (communicator.rank() == 0) {
      name = (".probe-" + UUID.randomUUID()).getBytes(StandardCharsets.US_ASCII);
      write(probe(name));
    }
    name = communicator.broadcast(name, 0);
    int[] seen = {folder.isPresent() && Files.exists(probe(name)) ? 1 : 0};
    boolean byAll = communicator.allReduce(seen, ReduceOp.MIN)[0] == 1;
    if (communicator.rank() == 0) {
      delete(probe(name));
    }
    return byAll;
  }

  private Path probe(byte[] name) {
    Path checkpoints = folder.orElseThrow().checkpoints();
    return checkpoints.resolve(new String(name, StandardCharsets.US_ASCII));
  }

  private static void write(Path probe) {
    try {
      Files.createDirectories(probe.getParent());
      DurableFiles.replace(probe, "");
    } catch (IOException e) {
      throw new CheckpointException(
          "Checkpoints cannot be written to "
              + probe.getParent()
              + ": "
              + DurableFiles.reason(e)
              + ". Free disk space or check the folder's permissions.",
          e);
    }
  }

  private static void delete(Path probe) {
    try {
      Files.deleteIfExists(probe);
    } catch (IOException harmless) {
      // An empty file that no search takes for a checkpoint.
    }
  }
}
