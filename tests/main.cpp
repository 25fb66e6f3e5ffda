// main() of every test program.
#include <CppUTest/CommandLineTestRunner.h>
#include <CppUTest/MemoryLeakWarningPlugin.h>
#include <CppUTest/TestRegistry.h>

int main(int argc, char** argv) {
  // CppUTest's operator new hides heap overflows from AddressSanitizer and takes caches for leaks.
  // Its leak plugin, which RunAllTests() would install, would still walk what was allocated before
  // main.
  MemoryLeakWarningPlugin::turnOffNewDeleteOverloads();
  return CommandLineTestRunner(argc, argv, TestRegistry::getCurrentRegistry()).runAllTestsMain();
}
