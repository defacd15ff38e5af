package dev.lockstep.train.strategy.pipeline;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.Work;
import dev.lockstep.torch.TensorSpans;
import dev.lockstep.train.TrainingException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Tensors between the ranks of a pipeline, through channels: sending never blocks, receiving waits
 * at most for the group's deadline. In front of what only the sender knows the shape of goes a
 * message with the type and the shape. One thread.
 */
final class PartLinks {
  /** Kinds of messages of one part, each under a tag of its own. */
  private static final int KINDS = 3;

  private static final int SHAPE = 0;
  private static final int VALUES = 1;
  private static final int GRADIENT = 2;

  /** Type, number of dimensions, lengths. */
  private static final int HEADER = 18;

  private final Communicator pipeline;
  private final int parts;
  private final List<Work> sending = new ArrayList<>();
  private long waitedNanos;

  PartLinks(Communicator pipeline, int parts) {
    this.pipeline = pipeline;
    this.parts = parts;
  }

  /** How many tags the links of a pipeline use, from 0 on. */
  static int tags(int parts) {
    return KINDS * (parts + 1);
  }

  /**
   * Sends a part its input.
   *
   * @param values what the part before gives
   */
  void sendTo(int part, Tensor values) {
    send(values, part % pipeline.size(), part);
  }

  /** What the part before a part gives; belongs to the current scope. */
  Tensor receiveFor(int part) {
    return receive((part - 1) % pipeline.size(), part);
  }

  /** Sends the gradient of a part's output back to it. */
  void sendGradient(int part, Tensor gradient) {
    post(gradient, part % pipeline.size(), KINDS * part + GRADIENT);
  }

  /**
   * The gradient of a part's output; belongs to the current scope.
   *
   * @param output whose shape it has
   */
  Tensor receiveGradient(int part, Tensor output) {
    Tensor gradient = empty(shapeOf(output), output.scalar_type());
    await(gradient, (part + 1) % pipeline.size(), KINDS * part + GRADIENT);
    return gradient;
  }

  /** Gives the last part's result to the other ranks; collective in the pipeline. */
  Tensor fromLast(Tensor result) {
    int last = (parts - 1) % pipeline.size();
    if (pipeline.rank() != last) {
      return receive(last, parts);
    }
    for (int rank = 0; rank < pipeline.size(); rank++) {
      if (rank != last) {
        send(result, rank, parts);
      }
    }
    return result;
  }

  private void send(Tensor values, int rank, int part) {
    long[] shape = shapeOf(values);
    if (shape.length + 2 > HEADER) {
      throw new TrainingException(
          "A pipeline cannot send a tensor of " + shape.length + " dimensions between its parts.");
    }
    Tensor header = torch.zeros(new long[] {HEADER}, new TensorOptions(ScalarType.Long));
    LongPointer numbers = new LongPointer(header.data_ptr());
    numbers.put(0, values.scalar_type().value);
    numbers.put(1, shape.length);
    for (int i = 0; i < shape.length; i++) {
      numbers.put(2 + i, shape[i]);
    }
    post(header, rank, KINDS * part + SHAPE);
    post(values, rank, KINDS * part + VALUES);
  }

  private Tensor receive(int rank, int part) {
    Tensor header = torch.zeros(new long[] {HEADER}, new TensorOptions(ScalarType.Long));
    await(header, rank, KINDS * part + SHAPE);
    LongPointer numbers = new LongPointer(header.data_ptr());
    long[] shape = new long[(int) numbers.get(1)];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = numbers.get(2 + i);
    }
    ScalarType type = typeOf((byte) numbers.get(0));
    Tensor values = empty(shape, type);
    await(values, rank, KINDS * part + VALUES);
    return values;
  }

  private static Tensor empty(long[] shape, ScalarType type) {
    return torch.empty(shape, new TensorOptions(type), new MemoryFormatOptional());
  }

  private static long[] shapeOf(Tensor tensor) {
    long[] shape = new long[(int) tensor.dim()];
    Arrays.setAll(shape, tensor::size);
    return shape;
  }

  private static ScalarType typeOf(byte value) {
    for (ScalarType type : ScalarType.values()) {
      if (type.value == value) {
        return type;
      }
    }
    throw new IllegalStateException("A neighbour sent a tensor of the unknown type " + value + ".");
  }

  private void post(Tensor tensor, int rank, int tag) {
    sending.removeIf(Work::isDone);
    sending.add(pipeline.channel(rank, tag).send(TensorSpans.of(tensor.detach().contiguous())));
  }

  private void await(Tensor into, int rank, int tag) {
    long start = System.nanoTime();
    pipeline.channel(rank, tag).receive(TensorSpans.of(into)).await();
    waitedNanos += System.nanoTime() - start;
  }

  /** Returns when nothing is being sent any more. */
  void flush() {
    long start = System.nanoTime();
    sending.forEach(Work::await);
    sending.clear();
    waitedNanos += System.nanoTime() - start;
  }

  double waitedSeconds() {
    return waitedNanos * 1e-9;
  }
}
