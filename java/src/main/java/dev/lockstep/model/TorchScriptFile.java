package dev.lockstep.model;

import dev.lockstep.natives.NativeLibraries;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.ExtraFilesMap;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads, writes and runs TorchScript modules. */
final class TorchScriptFile {
  private static final Logger log = LoggerFactory.getLogger(TorchScriptFile.class);

  private TorchScriptFile() {}

  /**
   * Reads a module into the CPU's memory, wherever it was saved; the caller closes it.
   *
   * @throws ModelException if the file is no TorchScript that this libtorch reads
   */
  static JitModule load(Path file) {
    if (!Files.isReadable(file)) {
      throw new ModelException("There is no readable model file " + file + "; check the path.");
    }
    NativeLibraries.load();
    try (PointerScope scope = new PointerScope()) {
      JitModule module =
          torch.load(file.toString(), new DeviceOptional(new Device(DeviceType.CPU)), true);
      List<String> traced = TracedModes.follow(module);
      if (!traced.isEmpty()) {
        log.warn(
            "{} was traced in training mode, which is for ever; its layers {} now follow the mode.",
            file,
            traced);
      }
      module.retainReference();
      return module;
    } catch (RuntimeException e) {
      throw LoadFailure.of(file, e);
    }
  }

  /**
   * Writes a module under a temporary name, syncs it and renames it, so that no reader sees a part.
   */
  static void save(JitModule module, Path file, String extraName, String extraText) {
    Path folder = file.toAbsolutePath().getParent();
    Path temporary = folder.resolve(file.getFileName() + ".tmp");
    try (PointerScope scope = new PointerScope()) {
      Files.createDirectories(folder);
      ExtraFilesMap extra = new ExtraFilesMap();
      extra.put(new BytePointer(extraName), extraText);
      module.save(temporary.toString(), extra);
      try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
        channel.force(true);
      }
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "The model could not be written to " + file + ": " + e.getMessage(), e);
    } catch (RuntimeException e) {
      throw new ModelException(
          "The model could not be written to " + file + " (" + ModelException.reason(e) + ").", e);
    }
  }

  /**
   * Runs a module on one tensor; the result belongs to the current scope.
   *
   * @throws ModelException if it fails, or gives something other than a tensor of real numbers
   */
  static Tensor forward(JitModule module, Tensor inputs, String description) {
    IValue result;
    try {
      result = module.forward(new IValueVector(new IValue(inputs)));
    } catch (RuntimeException e) {
      throw new ModelException(
          "The forward pass of "
              + description
              + " fails for inputs of shape "
              + Arrays.toString(ModelTensor.shape(inputs))
              + " and type "
              + inputs.scalar_type()
              + ": "
              + ModelException.reason(e),
          e);
    }
    if (!result.isTensor()) {
      throw new ModelException(
          "The forward pass of "
              + description
              + " gives "
              + result.tagKind().getString()
              + " instead of a tensor; wrap it in a module that returns one, [samples, outputs].");
    }
    Tensor output = result.toTensor();
    if (output.is_complex()) {
      throw new ModelException(
          "The forward pass of "
              + description
              + " gives complex numbers; let it return real ones, as with torch.view_as_real.");
    }
    return output;
  }
}
