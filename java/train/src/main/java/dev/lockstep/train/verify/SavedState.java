package dev.lockstep.train.verify;

import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.checkpoint.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Two runs' checkpoints, compared. */
final class SavedState {
  private SavedState() {}

  /** |a − b| ÷ |b| in the 2-norm, over the model's float32 parameters. */
  static double difference(Checkpoint a, Checkpoint b) {
    double squares = 0;
    double norm = 0;
    for (StoredTensor tensor : b.tensors()) {
      if (!tensor.name().startsWith("model.")) {
        continue;
      }
      ByteBuffer mine = bytes(a.tensor(tensor.name()));
      ByteBuffer other = bytes(tensor);
      while (other.hasRemaining()) {
        double x = mine.getFloat();
        double y = other.getFloat();
        squares += (x - y) * (x - y);
        norm += y * y;
      }
    }
    return Math.sqrt(squares / norm);
  }

  /** The first tensor, by name, or other value that is not equal to the bit. */
  static Optional<String> firstDifference(Checkpoint a, Checkpoint b) {
    Map<String, List<StoredTensor>> mine = all(a);
    Map<String, List<StoredTensor>> other = all(b);
    if (!mine.keySet().equals(other.keySet())) {
      return Optional.of(mine.keySet() + " against " + other.keySet());
    }
    for (String name : mine.keySet()) {
      List<StoredTensor> x = mine.get(name);
      List<StoredTensor> y = other.getOrDefault(name, List.of());
      for (int rank = 0; rank < Math.max(x.size(), y.size()); rank++) {
        if (x.size() != y.size() || !bytes(x.get(rank)).equals(bytes(y.get(rank)))) {
          return Optional.of(x.size() == 1 ? name : name + " of rank " + rank);
        }
      }
    }
    return a.state().equals(b.state())
        ? Optional.empty()
        : Optional.of(a.state() + " against " + b.state());
  }

  /** All of a tensor, which may have been saved in parts. */
  private static ByteBuffer bytes(StoredTensor tensor) {
    ByteBuffer all = ByteBuffer.allocate((int) tensor.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    tensor.pieces().forEach(all::put);
    return all.flip();
  }

  private static Map<String, List<StoredTensor>> all(Checkpoint checkpoint) {
    Map<String, List<StoredTensor>> all = new TreeMap<>(checkpoint.perRank());
    checkpoint.tensors().forEach(tensor -> all.put(tensor.name(), List.of(tensor)));
    return all;
  }
}
