package dev.lockstep.train.strategy.tensor;

import dev.lockstep.checkpoint.TensorSlice;
import dev.lockstep.comm.Communicator;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelTensor;
import dev.lockstep.model.TensorSplit;
import dev.lockstep.torch.TensorSpans;
import dev.lockstep.train.memory.Distribution;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatLayout.Slot;
import dev.lockstep.train.strategy.Mesh;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * A model's parameters on the ranks that compute its layers together: slices of some, the whole of
 * others. The first rank has the biases of what is summed over ranks; the others have zeros there,
 * which are not trained.
 */
final class SlicedParameters implements AutoCloseable {
  private final Model model;
  private final @Nullable TensorSplit split;
  private final Mesh mesh;
  private final FlatLayout whole;
  private final Map<String, List<TensorSlice>> slices;
  private final Set<String> onFirstRank;
  private final Set<String> shared;
  private boolean isWhole;

  /**
   * Cuts the parameters, and has the model compute with slices.
   *
   * @param split owned from here on; null where a rank has all
   */
  SlicedParameters(Model model, @Nullable TensorSplit split, Mesh mesh) {
    this.model = model;
    this.split = split;
    this.mesh = mesh;
    whole = FlatLayout.of(model.parameters());
    slices = split == null ? Map.of() : split.slices(mesh.tensor().size());
    onFirstRank = split == null ? Set.of() : split.onFirstRank();
    shared = split == null ? Set.of() : split.shared();
    if (split != null) {
      cut(split);
      split.apply(mesh.tensor());
    }
  }

  private void cut(TensorSplit applied) {
    int rank = mesh.tensor().rank();
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (ModelTensor parameter : model.parameters()) {
        Tensor values = parameter.tensor();
        List<TensorSlice> cuts = slices.get(parameter.name());
        if (cuts != null) {
          TensorSlice slice = cuts.get(rank);
          long[] shape = applied.shape(parameter.name(), slice);
          Tensor own = memory(slice.outer(), slice.count(), slice.inner(), values);
          own.copy_(
              cube(values.detach().contiguous(), slice).narrow(1, slice.from(), slice.count()));
          parameter.moveTo(own.view(shape));
        } else if (!isOwn(parameter.name())) {
          Tensor zero = torch.zeros(new long[] {1}, new TensorOptions(values.scalar_type()));
          parameter.moveTo(zero.expand(parameter.shape()));
          values.set_requires_grad(false);
        }
      }
    }
  }

  /** A new tensor of another's type. */
  private static Tensor memory(long outer, long count, long inner, Tensor like) {
    TensorOptions type = new TensorOptions(like.scalar_type());
    return torch.empty(new long[] {outer, count, inner}, type, new MemoryFormatOptional());
  }

  /** A whole tensor as [outer, length, inner]. */
  private static Tensor cube(Tensor values, TensorSlice slice) {
    return values.view(slice.outer(), slice.length(), slice.inner());
  }

  private boolean isOwn(String parameter) {
    return mesh.tensor().rank() == 0 || !onFirstRank.contains(parameter);
  }

  /** Those that this rank trains. */
  List<ModelTensor> own() {
    return model.parameters().stream().filter(each -> isOwn(each.name())).toList();
  }

  /** Whether all ranks of the group train the same values. */
  boolean isReplicated(String parameter) {
    return !slices.containsKey(parameter) && !onFirstRank.contains(parameter);
  }

  /** Whether layers use it that a pass may differentiate apart. */
  boolean isShared(String parameter) {
    return shared.contains(parameter);
  }

  /** Which rank writes what to a checkpoint: those of the first group. */
  Distribution distribution() {
    int rank = mesh.tensor().rank();
    List<Integer> holders = new ArrayList<>();
    Map<String, TensorSlice> own = new HashMap<>();
    for (Slot slot : whole.slots()) {
      List<TensorSlice> cuts = slices.get(slot.name());
      holders.add(cuts == null ? 0 : rank);
      if (cuts != null) {
        own.put(slot.name(), cuts.get(rank));
      }
    }
    return new Distribution(whole, holders, own, mesh.data());
  }

  /** Gives the model all parameters, with which it computes alone; collective in the group. */
  void complete() {
    if (split == null || isWhole) {
      return;
    }
    isWhole = true;
    split.close();
    Communicator tensor = mesh.tensor();
    try (NoGradGuard guard = new NoGradGuard()) {
      for (int i = 0; i < whole.slots().size(); i++) {
        try (PointerScope scope = new PointerScope()) {
          ModelTensor parameter = model.parameters().get(i);
          List<TensorSlice> cuts = slices.get(parameter.name());
          if (cuts != null) {
            parameter.moveTo(joined(parameter, whole.slots().get(i).shape(), cuts));
          } else if (onFirstRank.contains(parameter.name())) {
            Tensor values = parameter.tensor().detach().contiguous();
            tensor.broadcast(TensorSpans.of(values), 0);
            parameter.moveTo(values);
            parameter.tensor().set_requires_grad(true);
          }
        }
      }
    }
  }

  private Tensor joined(ModelTensor parameter, long[] shape, List<TensorSlice> cuts) {
    TensorOptions type = new TensorOptions(parameter.tensor().scalar_type());
    Tensor all = torch.empty(shape, type, new MemoryFormatOptional());
    for (int rank = 0; rank < cuts.size(); rank++) {
      TensorSlice slice = cuts.get(rank);
      Tensor part = memory(slice.outer(), slice.count(), slice.inner(), all);
      if (rank == mesh.tensor().rank()) {
        part.copy_(parameter.tensor().detach().view(part.size(0), part.size(1), part.size(2)));
      }
      mesh.tensor().broadcast(TensorSpans.of(part), rank);
      cube(all, slice).narrow(1, slice.from(), slice.count()).copy_(part);
    }
    return all;
  }

  /** The model computes alone again, with whatever it has. */
  @Override
  public void close() {
    if (split != null) {
      split.close();
      model.parameters().forEach(each -> each.tensor().set_requires_grad(true));
    }
  }
}
