package dev.lockstep.train.strategy;

import dev.lockstep.comm.Communicator;
import dev.lockstep.files.FreeSpace;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelTensor;
import dev.lockstep.train.OptimizerConfig;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether {@code /dev/shm} has room for a fused step: parameters and optimiser state once,
 * gradients for each rank. Containers often have 64 MiB there.
 */
final class SharedMemoryNeed {
  private static final Logger log = LoggerFactory.getLogger(SharedMemoryNeed.class);
  private static final Path FOLDER = Path.of("/dev/shm");

  private SharedMemoryNeed() {}

  /**
   * Collective: rank 0 looks, and says the whole size that would be needed where it is not there.
   */
  static boolean fits(Model model, OptimizerConfig optimizer, Communicator group) {
    byte[] answer = {1};
    if (group.rank() == 0) {
      long needed = bytes(model, optimizer, group.size());
      long free = FreeSpace.of(FOLDER);
      answer[0] = (byte) (needed <= free ? 1 : 0);
      if (needed > free) {
        log.warn(
            "Sharing parameters and optimiser state needs {} MiB in {}, which has {} MiB free (mount -o"
                + " remount,size=…, docker run --shm-size=…): every rank keeps its own.",
            needed + (1 << 20) - 1 >> 20,
            FOLDER,
            free >> 20);
      }
    }
    return group.broadcast(answer, 0)[0] == 1;
  }

  static long bytes(Model model, OptimizerConfig optimizer, int ranks) {
    long parameters = 0;
    for (ModelTensor parameter : model.parameters()) {
      parameters += parameter.tensor().numel() * parameter.tensor().element_size();
    }
    boolean adam = optimizer.type() != OptimizerConfig.Type.SGD;
    int moments = adam ? 2 : optimizer.momentum() > 0 ? 1 : 0;
    return parameters * (1 + moments + ranks);
  }
}
