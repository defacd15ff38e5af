package dev.lockstep.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "dev.lockstep", importOptions = DoNotIncludeTests.class)
class PackageRulesTest {

  @ArchTest
  static final ArchRule onlyCommAndTheComputingPackagesTouchGeneratedBindings =
      noClasses()
          .that()
          .resideOutsideOfPackages(
              "dev.lockstep.jni..",
              "dev.lockstep.comm..",
              "dev.lockstep.train..",
              "dev.lockstep.localize..",
              "dev.lockstep.learn..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.lockstep.jni..");

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching("dev.lockstep.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule theLibraryDoesNotKnowItsCommandLine =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.lockstep.cli..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("dev.lockstep.cli..", "picocli..");

  @ArchTest
  static final ArchRule theLibraryNeverEndsTheProcess =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.lockstep.cli..")
          .should()
          .callMethod(System.class, "exit", int.class);

  @ArchTest
  static final ArchRule filesAndMonitoringKnowNoTorch =
      noClasses()
          .that()
          .resideInAnyPackage(
              "dev.lockstep.data..",
              "dev.lockstep.checkpoint..",
              "dev.lockstep.monitor..",
              "dev.lockstep.config..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.bytedeco.pytorch..");
}
