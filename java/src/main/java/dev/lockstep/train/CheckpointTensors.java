package dev.lockstep.train;

import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.checkpoint.StoredTensor;
import dev.lockstep.checkpoint.TensorType;
import dev.lockstep.train.FlatLayout.Slot;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The flat buffers of a run as a checkpoint's tensors, one for each of the model's, so that other
 * tools can read them: {@code model.<name>}, {@code buffer.<name>}, {@code
 * optimizer.<state>.<name>}.
 */
final class CheckpointTensors {
  private CheckpointTensors() {}

  private static Map<String, FlatBuffers> byPrefix(TrainingMemory memory) {
    Map<String, FlatBuffers> all = new LinkedHashMap<>();
    all.put("model.", memory.parameters().values());
    all.put("buffer.", memory.buffers().values());
    memory.optimizer().state().forEach((name, flat) -> all.put("optimizer." + name + ".", flat));
    return all;
  }

  /** Views of the run's memory, which must stay as it is until they are written. */
  static List<StoredTensor> capture(TrainingMemory memory) {
    List<StoredTensor> tensors = new ArrayList<>();
    byPrefix(memory)
        .forEach(
            (prefix, flat) -> {
              for (Slot slot : flat.layout().slots()) {
                tensors.add(
                    new StoredTensor(
                        prefix + slot.name(), type(flat, slot), shape(slot), flat.bytes(slot)));
              }
            });
    return tensors;
  }

  /** Copies a checkpoint's tensors into the run's memory; {@link #reasonToRefuse} found none. */
  static void restore(Checkpoint checkpoint, TrainingMemory memory) {
    byPrefix(memory)
        .forEach(
            (prefix, flat) -> {
              for (Slot slot : flat.layout().slots()) {
                flat.bytes(slot).put(checkpoint.tensor(prefix + slot.name()).data());
              }
            });
  }

  /** What keeps a checkpoint's tensors from being this run's. */
  static Optional<String> reasonToRefuse(Checkpoint checkpoint, TrainingMemory memory) {
    Map<String, String> stored =
        checkpoint.tensors().stream()
            .collect(
                Collectors.toMap(
                    StoredTensor::name, tensor -> tensor.type() + " " + tensor.shape()));
    for (StoredTensor expected : capture(memory)) {
      String found = stored.remove(expected.name());
      String wanted = expected.type() + " " + expected.shape();
      if (!wanted.equals(found)) {
        return Optional.of(
            String.format(
                Locale.ROOT,
                "it is of another model or optimiser: this run has a tensor %s, %s, where it has %s",
                expected.name(),
                wanted,
                found == null ? "none" : found));
      }
    }
    return stored.keySet().stream()
        .sorted()
        .findFirst()
        .map(
            name ->
                "it is of another model or optimiser: it has a tensor "
                    + name
                    + " that this run has not");
  }

  private static List<Long> shape(Slot slot) {
    return Arrays.stream(slot.shape()).boxed().toList();
  }

  private static TensorType type(FlatBuffers flat, Slot slot) {
    ScalarType type = flat.layout().groups().get(slot.group()).type();
    return switch (type) {
      case Float -> TensorType.F32;
      case Double -> TensorType.F64;
      case Half -> TensorType.F16;
      case BFloat16 -> TensorType.BF16;
      case Long -> TensorType.I64;
      case Int -> TensorType.I32;
      case Short -> TensorType.I16;
      case Char -> TensorType.I8;
      case Byte -> TensorType.U8;
      case Bool -> TensorType.BOOL;
      default ->
          throw new TrainingException(
              "The model's buffer "
                  + slot.name()
                  + " is of type "
                  + type
                  + ", which checkpoints cannot hold; use a real floating or integer type.");
    };
  }
}
