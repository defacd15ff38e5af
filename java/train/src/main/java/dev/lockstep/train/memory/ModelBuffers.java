package dev.lockstep.train.memory;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Work;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelTensor;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A model's other tensors, batch statistics above all, kept equal on all ranks in flat buffers.
 *
 * <p>Each rank's forward pass changes them by what its own samples say; the ranks' changes are
 * averaged by their samples: value = base + Σ weight × (value − base). A buffer that no rank
 * changed keeps its bits, as averaging the values themselves would not guarantee; a rank without
 * samples has no weight. Integers (counters of batches) are those of one rank that has samples
 * whenever any rank has.
 *
 * <p>Not thread-safe.
 */
public final class ModelBuffers implements AutoCloseable {
  private final List<ModelTensor> buffers;
  private final FlatLayout layout;
  private final FlatBuffers values;
  private final FlatBuffers base;
  private final FlatBuffers deltas;
  private final Communicator communicator;
  private final List<Work> pending = new ArrayList<>();

  /** The values that {@link #goBack} restores. */
  private @Nullable FlatBuffers kept;

  public ModelBuffers(Model model, Communicator communicator) {
    this(model.buffers(), communicator);
  }

  /** Of some of a model's buffers. */
  public ModelBuffers(List<ModelTensor> tensors, Communicator communicator) {
    this.communicator = communicator;
    buffers = tensors;
    layout = FlatLayout.of(buffers);
    List<FlatBuffers> all = FlatBuffers.several(3, layout, communicator::allocate);
    values = all.get(0);
    base = all.get(1);
    deltas = all.get(2);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int i = 0; i < buffers.size(); i++) {
        Tensor view = values.view(layout.slots().get(i));
        view.copy_(buffers.get(i).tensor());
        buffers.get(i).moveTo(view);
      }
    }
    snapshot();
  }

  public FlatBuffers values() {
    return values;
  }

  /** Takes the present values, equal on all ranks, as the base of the next changes. */
  public void snapshot() {
    copy(values, base);
  }

  /** Copies the present values, for {@link #goBack}. */
  public void keep() {
    if (kept == null) {
      kept = new FlatBuffers(layout, NativeMemory::allocate);
    }
    copy(values, kept);
  }

  /**
   * Gives the buffers the values that {@link #keep} has copied, equal on all ranks.
   *
   * @throws IllegalStateException if it has copied none
   */
  public void goBack() {
    if (kept == null) {
      throw new IllegalStateException("No values of the buffers were kept.");
    }
    copy(kept, values);
    snapshot();
  }

  private void copy(FlatBuffers from, FlatBuffers to) {
    for (int i = 0; i < layout.groups().size(); i++) {
      NativeView.copy(to.address(i), from.address(i), layout.groups().get(i).bytes());
    }
  }

  /**
   * Begins to merge what the ranks have changed since {@link #snapshot}.
   *
   * @param weight this rank's; all ranks' add up to 1
   * @param root whose integers and flags all ranks take
   */
  public void startMerge(double weight, int root) {
    if (communicator.size() == 1 || buffers.isEmpty()) {
      return;
    }
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int i = 0; i < layout.groups().size(); i++) {
        if (layout.groups().get(i).isFloating()) {
          deltas.whole(i).copy_(values.whole(i)).sub_(base.whole(i)).mul_(new Scalar(weight));
          pending.add(communicator.allReduceAsync(deltas.span(i), ReduceOp.SUM));
        } else {
          // From a copy: a stage that backward computes again counts a batch twice for a moment.
          deltas.whole(i).copy_(values.whole(i));
          pending.add(communicator.broadcastAsync(deltas.span(i), root));
        }
      }
    }
  }

  /** Ends the merge; the values are then equal on all ranks, and the new snapshot. */
  public void finishMerge() {
    if (pending.isEmpty()) {
      return;
    }
    pending.forEach(Work::await);
    pending.clear();
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int i = 0; i < layout.groups().size(); i++) {
        if (layout.groups().get(i).isFloating()) {
          values.whole(i).copy_(base.whole(i)).add_(deltas.whole(i));
        } else {
          values.whole(i).copy_(deltas.whole(i));
        }
      }
    }
    snapshot();
  }

  @Override
  public void close() {
    Works.settle(pending);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (ModelTensor buffer : buffers) {
        buffer.moveTo(buffer.tensor().detach().clone());
      }
    }
    values.close();
    base.close();
    deltas.close();
    if (kept != null) {
      kept.close();
    }
  }
}
