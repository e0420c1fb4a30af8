// Precompiled for every test program.
#pragma once

#include <gtest/gtest.h>

#include "base/std_pch.h"
