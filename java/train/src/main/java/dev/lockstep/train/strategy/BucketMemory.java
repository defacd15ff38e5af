package dev.lockstep.train.strategy;

import static java.util.Objects.requireNonNull;

import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.Span;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatLayout.Group;
import dev.lockstep.train.memory.FlatLayout.Slot;
import dev.lockstep.train.memory.GradientMemory;
import dev.lockstep.train.memory.NativeView;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import org.bytedeco.pytorch.Tensor;

/**
 * Memory for the gradients of those buckets alone that are being computed or reduced: a bucket has
 * some from its first gradient until it is released. One thread.
 */
final class BucketMemory implements GradientMemory, AutoCloseable {
  /** Pieces that are kept for the buckets that come next. */
  private static final int SPARE = 2;

  private final FlatLayout layout;
  private final List<Bucket> buckets;
  private final int[] bucketOf;
  private final LongFunction<NativeMemory> allocate;
  private final Map<Bucket, NativeMemory> used = new HashMap<>();
  private final List<NativeMemory> spare = new ArrayList<>();

  /**
   * Takes no memory yet.
   *
   * @param buckets in which all parameters of the layout lie
   * @param allocate gives memory of so many bytes
   */
  BucketMemory(FlatLayout layout, List<Bucket> buckets, LongFunction<NativeMemory> allocate) {
    this.layout = layout;
    this.buckets = buckets;
    this.allocate = allocate;
    bucketOf = Bucket.bucketOfParameter(buckets, layout);
  }

  /** What a step that failed has left is released. */
  @Override
  public void zero() {
    List.copyOf(used.keySet()).forEach(this::release);
  }

  @Override
  public boolean isWhole() {
    return false;
  }

  @Override
  public Tensor sum(int parameter) {
    Bucket bucket = buckets.get(bucketOf[parameter]);
    Slot slot = layout.slots().get(parameter);
    long place = (slot.offset() - bucket.range().from()) * shape(bucket).elementBytes();
    return NativeView.tensor(memory(bucket).address() + place, shape(bucket).type(), slot.shape());
  }

  private Group shape(Bucket bucket) {
    return layout.groups().get(bucket.group());
  }

  /** A bucket's memory, which begins as zeros. */
  private NativeMemory memory(Bucket bucket) {
    NativeMemory memory = used.get(bucket);
    if (memory == null) {
      memory = take(Math.max(1, bucket.range().count() * shape(bucket).elementBytes()));
      used.put(bucket, memory);
    }
    return memory;
  }

  private NativeMemory take(long bytes) {
    for (Iterator<NativeMemory> all = spare.iterator(); all.hasNext(); ) {
      NativeMemory one = all.next();
      if (one.bytes() >= bytes && one.bytes() / 2 <= bytes) {
        all.remove();
        NativeView.zero(one.address(), bytes);
        return one;
      }
    }
    return allocate.apply(bytes);
  }

  /** A bucket's gradients, to be reduced; zeros where there were none. */
  Span span(Bucket bucket) {
    return memory(bucket).span(0, bucket.range().count(), shape(bucket).dataType());
  }

  /** A bucket's gradients are not needed any more. */
  void release(Bucket bucket) {
    spare.add(requireNonNull(used.remove(bucket), "a bucket that has memory"));
    if (spare.size() > SPARE) {
      spare.remove(0).close();
    }
  }

  /** Bytes that are held at present, those that wait for the next buckets included. */
  long bytes() {
    return used.values().stream().mapToLong(NativeMemory::bytes).sum()
        + spare.stream().mapToLong(NativeMemory::bytes).sum();
  }

  @Override
  public void close() {
    used.values().forEach(NativeMemory::close);
    used.clear();
    spare.forEach(NativeMemory::close);
    spare.clear();
  }
}
