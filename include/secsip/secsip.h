/* Everything of libsecsip's stable interface. SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SECSIP_SECSIP_H
#define SECSIP_SECSIP_H

#include <secsip/account.h>
#include <secsip/call.h>
#include <secsip/g711.h>
#include <secsip/header.h>
#include <secsip/message.h>
#include <secsip/registrar.h>
#include <secsip/resolver.h>
#include <secsip/result.h>
#include <secsip/sdes.h>
#include <secsip/sdp.h>
#include <secsip/srtp.h>
#include <secsip/stack.h>
#include <secsip/tls.h>
#include <secsip/version.h>

#endif
