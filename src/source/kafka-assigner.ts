/**
 * All partitions go to one member of the group, the active one; the others stand by with nothing. Each member says in
 * its metadata since when it is active, or that it stands by and since when it is there. Whoever leads the group gives
 * everything to the member that is active; if several think so (one of them was asleep while another took over), to the
 * one that became active last; if none does, to the one that has been there longest.
 *
 * Two members never rely on this to keep apart: publishing is fenced by the transactional id.
 */
import kafkajs, { type GroupMember, type PartitionAssigner } from 'kafkajs'

// CommonJS: not all names can be seen from outside.
const { AssignerProtocol } = kafkajs

const NAME = 'millrace-one'
const VERSION = 0

/** What a member says about itself. */
export interface MemberRole {
  active: boolean
  /** Wall-clock time of becoming active, or of joining. */
  sinceMs: number
}

/** role: asked at each join. */
export function createOneMemberAssigner(role: () => MemberRole): PartitionAssigner {
  return function oneMemberAssigner({ cluster }) {
    return {
      name: NAME,
      version: VERSION,
      protocol({ topics }) {
        const userData = Buffer.from(JSON.stringify(role()))
        return { name: NAME, metadata: AssignerProtocol.MemberMetadata.encode({ version: VERSION, topics, userData }) }
      },
      async assign({ members, topics }) {
        const chosen = chooseMember(members)
        const assignment: Record<string, number[]> = {}
        for (const topic of topics) {
          assignment[topic] = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)
        }
        return members.map(({ memberId }) => ({
          memberId,
          memberAssignment: AssignerProtocol.MemberAssignment.encode({
            version: VERSION,
            assignment: memberId === chosen ? assignment : {},
            userData: Buffer.alloc(0),
          }),
        }))
      },
    }
  }
}

/** Id of the member that gets everything. */
export function chooseMember(members: readonly GroupMember[]): string | undefined {
  const ranked = members
    .map(({ memberId, memberMetadata }) => ({ memberId, ...roleOf(memberMetadata) }))
    .sort((a, b) => {
      if (a.active !== b.active) return a.active ? -1 : 1
      if (a.sinceMs !== b.sinceMs) return a.active ? b.sinceMs - a.sinceMs : a.sinceMs - b.sinceMs
      return a.memberId < b.memberId ? -1 : 1
    })
  return ranked[0]?.memberId
}

function roleOf(metadata: Buffer): MemberRole {
  try {
    const { active, sinceMs } = JSON.parse(
      String(AssignerProtocol.MemberMetadata.decode(metadata)?.userData),
    ) as MemberRole
    return { active: active === true, sinceMs: Number(sinceMs) || 0 }
  } catch {
    return { active: false, sinceMs: Number.MAX_SAFE_INTEGER }
  }
}
