package dev.lockstep.train.verify;

import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.checkpoint.StoredTensor;
import java.nio.ByteBuffer;
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
      ByteBuffer mine = a.tensor(tensor.name()).data();
      ByteBuffer other = tensor.data();
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
      List<StoredTensor> y = other.get(name);
      for (int rank = 0; rank < Math.max(x.size(), y.size()); rank++) {
        if (x.size() != y.size() || !x.get(rank).data().equals(y.get(rank).data())) {
          return Optional.of(x.size() == 1 ? name : name + " of rank " + rank);
        }
      }
    }
    return a.state().equals(b.state())
        ? Optional.empty()
        : Optional.of(a.state() + " against " + b.state());
  }

  private static Map<String, List<StoredTensor>> all(Checkpoint checkpoint) {
    Map<String, List<StoredTensor>> all = new TreeMap<>(checkpoint.perRank());
    checkpoint.tensors().forEach(tensor -> all.put(tensor.name(), List.of(tensor)));
    return all;
  }
}
