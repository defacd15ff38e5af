package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.files.Sha256;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelTensor;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The check, before training begins, that all ranks are about to train the same thing. */
final class Agreement {
  private Agreement() {}

  /**
   * Compares model and settings over all ranks; collective.
   *
   * @param settings what must be equal besides the model, one per line
   * @throws TrainingException on every rank, naming two ranks and what differs between them
   */
  static void check(Model model, List<String> settings, Communicator communicator) {
    List<String> lines = new ArrayList<>(settings);
    model.parameters().forEach(tensor -> lines.add(describe("parameter ", tensor)));
    model.buffers().forEach(tensor -> lines.add(describe("buffer ", tensor)));
    byte[] own = String.join("\n", lines).getBytes(StandardCharsets.UTF_8);
    byte[][] hashes = communicator.allGather(Sha256.digest().digest(own));
    if (Arrays.stream(hashes).allMatch(hash -> Arrays.equals(hash, hashes[0]))) {
      return;
    }
    byte[][] all = communicator.allGather(own);
    for (int rank = 1; rank < all.length; rank++) {
      if (!Arrays.equals(all[0], all[rank])) {
        throw difference(lines(all[0]), lines(all[rank]), rank);
      }
    }
  }

  private static String describe(String kind, ModelTensor tensor) {
    return kind
        + tensor.name()
        + " "
        + tensor.tensor().scalar_type()
        + Arrays.toString(tensor.shape());
  }

  private static List<String> lines(byte[] text) {
    return new String(text, StandardCharsets.UTF_8).lines().toList();
  }

  private static TrainingException difference(List<String> first, List<String> other, int rank) {
    int line = 0;
    while (line < Math.min(first.size(), other.size()) && first.get(line).equals(other.get(line))) {
      line++;
    }
    return new TrainingException(
        "Rank 0 and rank "
            + rank
            + " are about to train different things: rank 0 has '"
            + (line < first.size() ? first.get(line) : "nothing more")
            + "' where rank "
            + rank
            + " has '"
            + (line < other.size() ? other.get(line) : "nothing more")
            + "'. Start all ranks with the same configuration, data, model file and version.");
  }
}
